#!/usr/bin/env bash
# ./dev fuzz [SECONDS]: builds the fuzz targets with clang and libFuzzer, and runs each from its
# kept corpus tests/fuzz/corpus/NAME. New inputs go to build/fuzz/corpus/NAME; a crash leaves its
# input in build/fuzz/crashes/, to be kept in the corpus under a name for what it taught.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
if ! [[ $seconds =~ ^[0-9]+$ ]]; then
    printf 'how many seconds? ./dev fuzz [SECONDS]\n' >&2
    exit 2
fi
printf '==> [%3ds] building the fuzz targets\n' "$SECONDS"
mkdir -p build/fuzz
if ! CXX=clang++-16 cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DMOLDAU_FUZZ=ON >build/fuzz/configure.log 2>&1; then
    cat build/fuzz/configure.log
    exit 1
fi
mapfile -t targets < <(ninja -C build/fuzz -t targets all |
    sed -nE '/_test: /!s/^(fuzz_[a-z0-9_]+): CXX_EXECUTABLE_LINKER.*$/\1/p' | sort)
if ((!${#targets[@]})); then
    printf 'there are no fuzz targets\n' >&2
    exit 1
fi
cmake --build build/fuzz --target "${targets[@]}"
mkdir -p build/fuzz/crashes
passed=0 failed=0
for target in "${targets[@]}"; do
    name=${target#fuzz_}
    kept=tests/fuzz/corpus/$name
    found=build/fuzz/corpus/$name
    mkdir -p "$found"
    folders=("$found")
    if [[ -d $kept ]]; then folders+=("$kept"); fi
    printf '==> [%3ds] %s for %s s\n' "$SECONDS" "$target" "$seconds"
    if "build/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$name-" "${folders[@]}" \
        >"build/fuzz/$target.log" 2>&1; then
        passed=$((passed + 1))
        sed -nE 's/^stat::(number_of_executed_units|average_exec_per_sec): +/    \1 /p' \
            "build/fuzz/$target.log"
    else
        failed=$((failed + 1))
        tail -n 40 "build/fuzz/$target.log"
    fi
done
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
((!failed))
