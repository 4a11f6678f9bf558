#!/usr/bin/env bash
# ./dev lint: formatting, shell scripts and Python of everything; clang-tidy of what differs from
# the main branch, or of everything with --all. build/release holds the compile commands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0
note() {
    printf '==> [%3ds] %s\n' "$SECONDS" "$*"
}

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.h' '*.cc')
note "clang-format on ${#sources[@]} files"
clang-format --dry-run -Werror "${sources[@]}" || failed=1

mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- '*.sh')
note "shellcheck on dev, .ci/run and ${#scripts[@]} scripts"
shellcheck --shell=bash --external-sources dev .ci/run "${scripts[@]}" || failed=1

mapfile -t programs < <(git ls-files --cached --others --exclude-standard -- '*.py')
note "python syntax of ${#programs[@]} files"
/usr/bin/python3 - "${programs[@]}" <<'PYTHON' || failed=1
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path, encoding="utf-8").read(), path)
PYTHON

if [[ ${1:-} == --all ]]; then
    mapfile -t tidy < <(git ls-files -- '*.cc')
else
    base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
    mapfile -t tidy < <({
        git diff --name-only --diff-filter=d "$base" -- '*.cc'
        git ls-files --others --exclude-standard -- '*.cc'
    } | sort -u)
fi
note "clang-tidy on ${#tidy[@]} files"
if ((${#tidy[@]})); then
    tools/tidy.py "${tidy[@]}" || failed=1
fi
if ((failed)); then
    note "lint failed"
    exit 1
fi
note "lint passed"
