#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# packages_test.sh BUILD WORK: makes the Debian packages, looks at what they say, unpacks them side by side and
# runs what is in there. clean_root_test.sh installs them for real.
set -euo pipefail
build=$1 work=$2/packages
fail() { echo "FAILED: $*" >&2; exit 1; }
command -v dpkg-shlibdeps >/dev/null || { echo "SKIPPED: dpkg-dev is not installed"; exit 77; }
rm -rf "$work" && mkdir -p "$work/root"
components="library;development;spiga"
if [ -d "$build/python/spiga" ]; then components="$components;python"; fi  # not the trainer: it needs no other test
pack() { cpack --config "$build/CPackConfig.cmake" -B "$work" -D CPACK_COMPONENTS_ALL="$components" "$@" >"$work/log" 2>&1; }
if pack -D CPACK_PACKAGE_CONTACT=nobody; then fail "packages without a maintainer"; fi
grep -q 'SPIGA_PACKAGE_CONTACT, the maintainer of the packages: expected "Name' "$work/log" || { cat "$work/log"; fail "no word about the maintainer"; }
pack -D CPACK_PACKAGE_CONTACT="A Tester <tester@example.org>" || { cat "$work/log"; fail cpack; }

depends() { dpkg-deb -f "$work"/"$1"_*.deb Depends; }
depends libspiga0.1 | grep -q libdnnl || fail "the library does not depend on its libraries"
depends libspiga-dev | grep -q 'libspiga0.1 (= ' || fail "the development files do not depend on their library"
depends spiga | grep -q 'libspiga0.1 (= ' || fail "the program does not depend on the default model"
if depends spiga | grep -q torch; then fail "the program depends on LibTorch"; fi
for deb in "$work"/*.deb; do dpkg -x "$deb" "$work/root"; done
for file in bin/spiga share/man/man1/spiga.1.gz share/bash-completion/completions/spiga lib/systemd/system/spiga.service include/spiga/spiga.h \
  lib/cmake/spiga/spiga-config.cmake lib/pkgconfig/spiga.pc share/spiga/models/MODEL_CARD.md share/doc/spiga/LICENSE share/doc/spiga/copyright share/doc/libspiga0.1/changelog.gz; do
  [ -e "$work/root/usr/$file" ] || fail "no $file"
done
if command -v lintian >/dev/null; then
  lintian --fail-on error "$work"/*.deb >"$work/lintian" 2>&1 || { cat "$work/lintian"; fail lintian; }
fi

spiga=$work/root/usr/bin/spiga
cp samples/astronaut.jpg "$work/"
(cd "$work" && SPIGA_MODEL='' "$spiga" analyze astronaut.jpg) | grep -q '"faces":\[{"confidence"' || fail "no face"
# The manual page and the completion know what the program knows.
for command in $("$spiga" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
  grep -qx "\.B $command" packaging/spiga.1 || fail "the manual page lacks $command"
done
if command -v man >/dev/null && [ -n "$(man -l --warnings -Tutf8 packaging/spiga.1 2>&1 >/dev/null)" ]; then
  fail "the manual page has mistakes"
fi
complete() {  # complete WORDS...: what the shell would offer for the last one
  PATH=$(dirname "$spiga"):$PATH bash -c 'source packaging/spiga.bash-completion; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _spiga; echo ${COMPREPLY[*]}' bash "$@"
}
[ "$(complete spiga ana)" = analyze ] || fail "completion of commands: $(complete spiga ana)"
[ "$(complete spiga analyze --min-f)" = --min-face ] || fail "completion of options: $(complete spiga analyze --min-f)"
[ "$(complete spiga bench --precision b)" = bf16 ] || fail "completion of values"
[ "$(complete spiga info LICEN)" = LICENSE ] || fail "completion of files"
echo passed
