#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# install_test.sh WAY STAGE WORK: a stranger's program, the example of docs/, against the installation in
# STAGE. Runs in the project's root. WORK is a folder to fill.
set -euo pipefail
way=$1 stage=$2 work=$3/$1
libraries=$(dirname "$(find "$stage" -name libspiga.so)")
export PKG_CONFIG_PATH=$libraries/pkgconfig LD_LIBRARY_PATH=$libraries
example() { /usr/bin/python3 tests/install/example.py "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
rm -rf "$work" && mkdir -p "$work"

case $way in
cmake)
  example docs/library.md cpp >"$work/main.cc"
  example docs/library.md cmake >"$work/CMakeLists.txt"
  cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$stage" >/dev/null
  cmake --build "$work/build" >/dev/null
  program=$work/build/faces picture=samples/astronaut.jpg ;;
pkg-config)
  example docs/library.md cpp >"$work/main.cc"
  example docs/library.md sh >"$work/build.sh"
  (cd "$work" && sh -e build.sh)
  program=$work/faces picture=samples/astronaut.jpg ;;
c)
  example docs/c.md c >"$work/main.c"
  example docs/c.md sh >"$work/build.sh"
  (cd "$work" && sh -e build.sh)
  program=$work/faces picture=$3/astronaut.ppm ;;
hidden)  # nothing but spiga's public names, and no static module's insides
  nm -DC --defined-only "$libraries/libspiga.so" | cut -d' ' -f3- >"$work/names"
  grep -q 'spiga::Landmarker::load' "$work/names" || fail "no Landmarker"
  grep -q '^spiga_analyze' "$work/names" || fail "no C API"
  if grep -q 'Impl::' "$work/names"; then fail "insides are visible"; fi
  if grep -vE '^((vtable|typeinfo|typeinfo name) for )?spiga(::(Analyzer|Detector|Error|FaceModel|FaceTracker|Landmarker|Model)|::(default_(head|model|detector)_path|blendshapes|camera_f|check_box|check_camera|derived_action_units|detect_around|evaluate|guessed_camera|load_detector|make_camera_pose|make_detector|name_of|parse_camera|project_point)|_[a-z0-9_]+@)|^SPIGA_0' "$work/names"
  then fail "these are visible, too"; fi
  exit 0 ;;
esac

SPIGA_MODEL='' "$program" "$picture" >"$work/out"
cat "$work/out"
grep -Eq '^68 landmarks, nose tip at 2[0-9]{2} 1[0-9]{2}, yaw -?[0-9] degrees$' "$work/out" || fail "no face as expected"
[ "$(wc -l <"$work/out")" = 1 ] || fail "expected one face"
