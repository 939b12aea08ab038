#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# Copies the header-only libraries that the trainer is built with into a folder, for a machine that has a compiler
# and PyTorch but no Debian packages: carry the folder there and name it in SPIGA_PREFIX for train_gpu.sh.
#   scripts/gather_headers.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { sed -n '4,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
for package in nlohmann-json3-dev libtomlplusplus-dev libcli11-dev libeigen3-dev; do
  dpkg -L "$package" | while read -r path; do
    case $path in
      */doc/* | */unsupported/* | */pkgconfig/*) ;;
      /usr/include/* | /usr/share/*/cmake/* | /usr/share/cmake/*)
        [ ! -f "$path" ] || install -D -m 644 "$path" "$1/${path#/usr/}" ;;
    esac
  done
done
du -sh "$1" >&2
