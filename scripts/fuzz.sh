#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
#
# fuzz.sh HOURS [TARGET...]: runs the fuzzing programs (tests/fuzz) side by side for so long, all or those named.
#
# What they find of interest is kept in $SPIGA_FUZZ_CORPUS (build/fuzz/corpus), which is merged to the smallest set of
# the same coverage at the end and taken up again by the next run. Inputs that crash, hang or take more memory than
# they may lie in build/fuzz/crashes. Ends with a line for each target: executions, edges covered, inputs kept, crashes;
# with status 1 where there are crashes. SPIGA_FUZZ_JOBS targets run at once; as many as there are processors.
set -euo pipefail
cd "$(dirname "$0")/.."
hours=${1:?"fuzz.sh HOURS [TARGET...]"}
shift
seconds=$(awk -v hours="$hours" 'BEGIN { printf "%d", hours * 3600 }')
jobs=${SPIGA_FUZZ_JOBS:-$(nproc)}
corpus=${SPIGA_FUZZ_CORPUS:-build/fuzz/corpus}
programs=build/fuzz/programs
crashes=build/fuzz/crashes
logs=build/fuzz/logs

compiler=$(command -v clang++ || command -v clang++-14) || { echo "fuzz.sh: needs clang (apt install clang)" >&2; exit 5; }
cmake -G Ninja -S tests/fuzz/instrumented -B "$programs" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo --log-level=ERROR
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(ls tests/fuzz/corpus)
cmake --build "$programs" --target "${targets[@]/#/fuzz_}"
mkdir -p "$crashes" "$logs"

# All run as often as it takes to share the processors, so that every target gets the same time.
rounds=$(( (${#targets[@]} + jobs - 1) / jobs ))
each=$(( seconds / rounds > 0 ? seconds / rounds : 1 ))

fuzz_one() {
  local target=$1 dictionary=()
  mkdir -p "$corpus/$target" "$crashes/$target"
  [ ! -f "tests/fuzz/dictionaries/$target.dict" ] || dictionary=(-dict="tests/fuzz/dictionaries/$target.dict")
  # A target that crashes is started again for the time that is left.
  local end=$((SECONDS + each)) left
  : > "$logs/$target"
  while left=$((end - SECONDS)); [ "$left" -gt 0 ]; do
    "$programs/fuzz_$target" -max_total_time="$left" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
      "${dictionary[@]}" -artifact_prefix="$crashes/$target/" "$corpus/$target" "tests/fuzz/corpus/$target" \
      >> "$logs/$target" 2>&1 && break
  done
  rm -rf "$corpus/$target.merged"
  mkdir "$corpus/$target.merged"
  "$programs/fuzz_$target" -merge=1 -max_len=16384 "$corpus/$target.merged" "$corpus/$target" \
    "tests/fuzz/corpus/$target" >> "$logs/$target" 2>&1 || return 0
  rm -rf "${corpus:?}/$target"
  mv "$corpus/$target.merged" "$corpus/$target"
}

running=0
for target in "${targets[@]}"; do
  fuzz_one "$target" &
  running=$((running + 1))
  if [ "$running" -ge "$jobs" ]; then wait -n; running=$((running - 1)); fi
done
wait

status=0
printf '%-16s %12s %8s %8s %8s\n' target executions edges inputs crashes
for target in "${targets[@]}"; do
  executions=$(awk '/stat::number_of_executed_units/ { sum += $2 } END { printf "%d", sum }' "$logs/$target")
  edges=$(grep -oE ' cov: [0-9]+' "$logs/$target" | awk '$2 > most { most = $2 } END { printf "%d", most }')
  inputs=$(find "$corpus/$target" -type f | wc -l)
  found=$(find "$crashes/$target" -type f | wc -l)
  printf '%-16s %12s %8s %8s %8s\n' "$target" "$executions" "$edges" "$inputs" "$found"
  [ "$found" -eq 0 ] || status=1
done
exit "$status"
