#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# Builds and tests spiga with parts left out (docs/install.md), each configuration in build/check-NAME:
#   core          pictures in, faces out, and nothing else
#   no-dlib       all but dlib and the trainer
#   no-windows    all but OpenCV's highgui, X11 and the trainer
#   no-trainer    all but the trainer
#   trainer-only  the trainer alone
#
#   scripts/check_configurations.sh [NAME...]         (all of them)
#   scripts/check_configurations.sh --program FILE    checks one built program: it finds the face of
#       samples/astronaut.jpg; of each part that it lacks, it is not linked with the library and names the option
#       where it is asked for it
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "check_configurations: $*" >&2; exit 1; }

# option -> what asks for the part, and the libraries that come with it
declare -A asks=(
  [DLIB]="analyze samples/astronaut.jpg --detector dlib"
  [YUNET]="analyze samples/astronaut.jpg --detector yunet:x.onnx"
  [VIDEO]="analyze camera:0"
  [SHOW]="analyze samples --sequence --show"
  [IMPORT]="import x.pt --database wflw"
  [EVALUATE]="evaluate x.json"
  [SERVE]="serve --port 0"
  [IMGCODECS]="analyze build/check/pixel.bmp"
)
declare -A libraries=([DLIB]=libdlib [YUNET]=libopencv_objdetect [VIDEO]=libopencv_videoio
  [SHOW]='libopencv_highgui|libX11' [IMPORT]=libzip [EVALUATE]='' [SERVE]=libcrypto [IMGCODECS]=libopencv_imgcodecs)

check_program() {
  local program=$1 parts faces error needed part
  mkdir -p build/check
  # One pixel: 54 bytes of header, 4 of pixels.
  printf 'BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0' >build/check/pixel.bmp
  head -c 28 /dev/zero >>build/check/pixel.bmp
  parts=$("$program" --version --verbose) || fail "$program: --version --verbose failed"
  faces=$("$program" analyze samples/astronaut.jpg) || fail "$program: analyze failed"
  [ "$(grep -o '"box"' <<<"$faces" | wc -l)" = 1 ] || fail "$program: expected one face, found: ${faces:0:200}"
  needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  for part in "${!asks[@]}"; do
    grep -q "SPIGA_WITH_$part=OFF" <<<"$parts" || continue
    # shellcheck disable=SC2086
    error=$("$program" ${asks[$part]} 2>&1 >/dev/null) && fail "spiga ${asks[$part]}: expected an error"
    grep -qx "spiga: .*SPIGA_WITH_$part=OFF" <<<"$error" || fail "spiga ${asks[$part]}: expected its option, found: $error"
    [ -z "${libraries[$part]}" ] || ! grep -qE "${libraries[$part]}" <<<"$needed" ||
      fail "$program: linked with ${libraries[$part]}, without $part"
  done
  echo "$program: as it should be; left out:$(grep -o 'SPIGA_WITH_[A-Z]*' <<<"$parts" | tr '\n' ' ' | sed 's/^/ /')"
}

options_of() {
  local all_but_trainer="-DSPIGA_BUILD_TRAIN=OFF -DSPIGA_BUILD_BENCH=OFF -DSPIGA_FUZZ_WORKS=OFF"
  case $1 in
  core) sed 's/[^ ]*/-DSPIGA_WITH_&=OFF/g' <<<"${!asks[*]}"; echo "$all_but_trainer -DSPIGA_BUILD_PYTHON=OFF" ;;
  no-dlib) echo "$all_but_trainer -DSPIGA_WITH_DLIB=OFF" ;;
  no-windows) echo "$all_but_trainer -DSPIGA_WITH_SHOW=OFF" ;;
  no-trainer) echo "$all_but_trainer" ;;
  trainer-only) echo "-DSPIGA_TRAINER_ONLY=ON -DSPIGA_BUILD_TESTS=ON" ;;
  *) fail "unknown configuration $1" ;;
  esac
}

check() {
  local name=$1 folder=build/check-$1 start=$SECONDS
  echo "== $name"
  # shellcheck disable=SC2046
  cmake --preset release -B "$folder" $(options_of "$name") >"$folder.log"
  grep -E 'Left out|trainer alone' "$folder.log" || true
  cmake --build "$folder"
  [ "$name" = trainer-only ] || check_program "$folder/bin/spiga"
  ctest --test-dir "$folder" --output-on-failure -LE fuzz
  echo "== $name took $((SECONDS - start)) s"
}

if [ "${1-}" = --program ]; then
  check_program "${2:?the program}"
  exit
fi
[ $# -gt 0 ] || set -- core no-dlib no-windows no-trainer trainer-only
for name in "$@"; do options_of "$name" >/dev/null; done
for name in "$@"; do check "$name"; done
