#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# What each target of a build took, from Ninja's log: sources compiled, seconds (the sum over its compilers and linkers,
# two of which may have run at a time) and the slowest file. A build from ccache takes next to nothing: for figures,
# build into an empty folder with CCACHE_DISABLE=1.
#   scripts/build_times.sh [FOLDER]       (build/release)
set -euo pipefail
cd "$(dirname "$0")/.."
log=${1:-build/release}/.ninja_log
[ -f "$log" ] || { echo "build_times: no $log: nothing was built there with Ninja" >&2; exit 3; }
printf '%-36s %6s %9s  %s\n' target files seconds 'slowest file'
awk -F'\t' '
  /^#/ { next }
  { took[$4] = ($2 - $1) / 1000 }  # the last build of a file counts
  END {
    for (file in took) {
      target = "links and generated files"
      if (match(file, /CMakeFiles\/[^\/]+\.dir\//)) target = substr(file, RSTART + 11, RLENGTH - 16)
      name = file
      sub(/.*\//, "", name)
      sub(/\.o$/, "", name)
      seconds[target] += took[file]
      seconds["all"] += took[file]
      ++files[target]
      ++files["all"]
      if (took[file] > worst[target]) { worst[target] = took[file]; slowest[target] = name " (" took[file] ")" }
    }
    for (target in seconds)
      printf "%s\t%-36s %6d %9.1f  %s\n", seconds[target], target, files[target], seconds[target], slowest[target]
  }' "$log" | sort -rn | cut -f2-
