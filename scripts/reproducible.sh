#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# scripts/reproducible.sh [WORK]: builds the core twice, from two copies of what git tracks, in folders of different names,
# without a compiler cache, installs both and compares them byte by byte. Status 1 where a file differs. WORK is
# build/reproducible if not given; what is built there before is deleted.
#
#   scripts/reproducible.sh --compare A B       compares two installations
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "reproducible: $*" >&2; exit 1; }

compare() {
  local first=$1 second=$2 files=0 different=0
  diff <(cd "$first" && find . -type f -o -type l | sort) <(cd "$second" && find . -type f -o -type l | sort) ||
    fail "$first and $second have not the same files"
  while IFS= read -r file; do
    files=$((files + 1))
    cmp "$first/$file" "$second/$file" || different=$((different + 1))
  done < <(cd "$first" && find . -type f | sort)
  [ "$files" -gt 0 ] || fail "$first: expected files, found none"
  echo "reproducible: $files files, $different of them different"
  [ "$different" = 0 ]
}

copy() { mkdir -p "$1" && git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$1"; }

build() {  # build SOURCE BUILD STAGE
  local source=$1 folder=$2 stage=$3
  cmake -S "$source" --preset demo -B "$folder" -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$source=." >/dev/null
  cmake --build "$folder" --target spiga_program spiga_shared
  for component in library development spiga; do
    cmake --install "$folder" --prefix "$stage" --component "$component" --strip >/dev/null
  done
}

if [ "${1-}" = --compare ]; then
  compare "${2:?the first folder}" "${3:?the second folder}"
  exit
fi
export CCACHE_DISABLE=1
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
mkdir -p "${1:-build/reproducible}"
work=$(cd "${1:-build/reproducible}" && pwd)
rm -rf "$work"/{one,two,stage-one,stage-two}
# A longer name, the build outside the source: nothing of where it lies may be in what comes out.
first=$work/one second=$work/two/a/another-longer-name/source
copy "$first" && copy "$second"
build "$first" "$first/build/demo" "$work/stage-one"
build "$second" "$work/two/elsewhere" "$work/stage-two"
compare "$work/stage-one" "$work/stage-two"
