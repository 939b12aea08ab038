#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# clean_root_test.sh DEBS ROOT: installs the Debian packages in the folder DEBS into a bare Debian 12 that it
# makes in ROOT with debootstrap (which must be installed), and runs program, Python module and a C++ program in there.
# Needs root and a network, takes minutes: not part of ctest.
set -euo pipefail
debs=$1 root=$2
[ -e "$root/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$root" >/dev/null
[ ! -d /etc/apt/apt.conf.d ] || cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/"
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
rm -rf "$root/spiga" && mkdir -p "$root/spiga/debs" "$root/spiga/samples"
cp "$debs"/{libspiga,spiga_,python3-spiga}*.deb "$root/spiga/debs/"
cp samples/astronaut.jpg "$root/spiga/samples/"
/usr/bin/python3 tests/install/example.py docs/python.md python >"$root/spiga/example.py"
/usr/bin/python3 tests/install/example.py docs/library.md cpp >"$root/spiga/main.cc"
/usr/bin/python3 tests/install/example.py docs/library.md sh >"$root/spiga/build.sh"
cat >"$root/spiga/test.sh" <<'INSIDE'
set -eux
cd /spiga
export DEBIAN_FRONTEND=noninteractive OMP_NUM_THREADS=1
apt-get update -qq
apt-get install -y -qq --no-install-recommends ./debs/*.deb >/dev/null
test -x /usr/bin/spiga && test -e /usr/share/man/man1/spiga.1.gz && test -e /usr/share/bash-completion/completions/spiga
spiga analyze samples/astronaut.jpg | grep -q '"landmarks"'
python3 -c 'import spiga; print(spiga.Landmarker().database)'
apt-get install -y -qq --no-install-recommends python3-pil g++ pkg-config libopencv-dev >/dev/null
python3 example.py
sh -e build.sh && ./faces samples/astronaut.jpg
apt-get purge -y -qq 'libspiga*' spiga python3-spiga >/dev/null
! test -e /usr/bin/spiga && ! test -e /usr/share/spiga && ! test -e /usr/lib/python3/dist-packages/spiga
INSIDE
chroot "$root" bash /spiga/test.sh
echo passed
