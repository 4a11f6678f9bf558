#!/usr/bin/env bash
# ./dev bench [NAME [OPTION...]]: the Google Benchmark programs of build/release, then bench/run.py,
# bench/controller.py and bench/cluster.py, which take the options.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=${1:-}
ran=0
shopt -s nullglob
for program in build/release/*_bench; do
    name=$(basename "$program")
    [[ $name == *"$wanted"* ]] || continue
    printf '==> [%3ds] %s\n' "$SECONDS" "$name"
    "$program"
    ran=1
done
if [[ -f bench/run.py && ( -z $wanted || $wanted == run ) ]]; then
    printf '==> [%3ds] bench/run.py\n' "$SECONDS"
    /usr/bin/python3 bench/run.py
    ran=1
fi
if [[ -z $wanted || $wanted == controller ]]; then
    printf '==> [%3ds] bench/controller.py\n' "$SECONDS"
    /usr/bin/python3 bench/controller.py "${@:2}"
    ran=1
fi
if [[ -z $wanted || $wanted == cluster ]]; then
    printf '==> [%3ds] bench/cluster.py\n' "$SECONDS"
    /usr/bin/python3 bench/cluster.py "${@:2}"
    ran=1
fi
if ((!ran)); then
    printf 'no benchmark has "%s" in its name\n' "$wanted" >&2
    exit 2
fi
