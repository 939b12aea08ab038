#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# scripts/build_wheel.sh [FOLDER]: builds a wheel for /usr/bin/python3 (PYTHON names another) that brings every library
# along that a bare Linux lacks, into FOLDER (dist), and checks that it does. Needs patchelf and binutils.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd) python=${PYTHON:-/usr/bin/python3}
command -v patchelf >/dev/null || { echo "build_wheel: patchelf is not installed (Debian: patchelf)" >&2; exit 3; }
mkdir -p build/wheel-plain
PYTHONPATH=python "$python" -B -c 'import build_backend; build_backend.build_wheel("build/wheel-plain")'
plain=$(ls -t build/wheel-plain/spiga-*.whl | head -1)
"$python" -B scripts/wheel_libraries.py vendor "$plain" "$target"
