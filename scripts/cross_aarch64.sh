#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# scripts/cross_aarch64.sh [--no-tests] [SPIGA]: builds the core for 64-bit ARM in build/aarch64, runs the tests of engine, model
# and vision under qemu, and compares the faces that it finds in samples/astronaut.jpg with those of the native program SPIGA
# (build/demo/bin/spiga): equal to 0.05 pixel in float32. How fast ARM is, qemu does not tell.
#
# Needs Debian's g++-aarch64-linux-gnu, qemu-user-static and mmdebstrap. Debian's libraries for arm64 are unpacked, not
# installed, into build/aarch64-root, where they stay for the next time. QEMU_CPU chooses the processor (cortex-a72, which has
# no SVE).
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "cross_aarch64: $*" >&2; exit 1; }
tests=yes
if [ "${1-}" = --no-tests ]; then tests=no; shift; fi
native=${1:-build/demo/bin/spiga}
for program in aarch64-linux-gnu-g++ qemu-aarch64-static mmdebstrap; do
  command -v $program >/dev/null || { echo "cross_aarch64: $program is not here: apt install g++-aarch64-linux-gnu qemu-user-static mmdebstrap" >&2; exit 5; }
done
[ -x "$native" ] || fail "$native, the native program, is not there: make demo"
export QEMU_CPU=${QEMU_CPU:-cortex-a72} OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

root=$PWD/build/aarch64-root
if [ ! -e "$root/done" ]; then
  rm -rf "$root" && mkdir -p build
  packages=libc6-dev,libstdc++-12-dev,libdnnl-dev,libopencv-core-dev,libopencv-imgproc-dev,libopencv-imgcodecs-dev
  packages+=,libjpeg-dev,libpng-dev,libwebp-dev,nlohmann-json3-dev,libcli11-dev,libeigen3-dev,libgtest-dev,libgmock-dev
  mmdebstrap --architectures=arm64 --variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include=$packages \
    bookworm "$root" "${SPIGA_MIRROR:-http://deb.debian.org/debian}" 2>build/aarch64-root.log ||
    { tail -5 build/aarch64-root.log; fail "mmdebstrap failed"; }
  # What installing would have chosen.
  ln -sf blas/libblas.so.3 lapack/liblapack.so.3 "$root/usr/lib/aarch64-linux-gnu/"
  touch "$root/done"
fi

cmake --preset demo -B build/aarch64 --toolchain cmake/aarch64-linux-gnu.cmake -DSPIGA_AARCH64_ROOT="$root" \
  -DSPIGA_BUILD_TESTS=ON >build/aarch64.log || { tail -20 build/aarch64.log; fail "cmake failed"; }
targets=(spiga_program)
[ $tests = no ] || targets+=(engine_test model_test vision_test)
cmake --build build/aarch64 --target "${targets[@]}"
run() { qemu-aarch64-static -L "$root" "$@"; }

if [ $tests = yes ]; then
  for module in engine model vision; do
    start=$SECONDS
    # Without the test of how fast the processor computes, which is not there.
    run build/aarch64/bin/${module}_test --gtest_brief=1 --gtest_filter=-Calibration.FollowsTheProcessor || fail "${module}_test failed"
    echo "${module}_test under qemu took $((SECONDS - start)) s"
  done
fi
mkdir -p build/aarch64-faces
run build/aarch64/bin/spiga --version --verbose
for program in native run; do
  command=("$native")
  [ $program = native ] || command=(run build/aarch64/bin/spiga)
  "${command[@]}" analyze samples/astronaut.jpg --precision f32 >build/aarch64-faces/$program.json
done
/usr/bin/python3 -B tests/support/same_faces.py build/aarch64-faces/native.json build/aarch64-faces/run.json 0.05
