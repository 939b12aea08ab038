#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# site_test.sh: the documentation site builds, every link in it leads somewhere, its search knows its words; and the check of
# links finds the dead ones. In the project's root; exits with 77 where mkdocs is not installed.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pages"
cat >"$work/pages/index.html" <<'HTML'
<h1 id="top">A</h1> <a href="b.html#there">good</a> <a href="#top">good</a> <a href="https://example.org/x">outside</a>
<a href="b.html#nowhere">no such place</a>
<a href="c.html">no such page</a>
<img src="https://example.org/picture.png">
HTML
echo '<p id="there">B <a href="../outside.html">beyond</a></p>' >"$work/pages/b.html"
touch "$work/outside.html"
if /usr/bin/python3 -B scripts/check_links.py "$work/pages" >"$work/out" 2>"$work/dead"; then fail "dead links passed"; fi
diff "$work/dead" - <<'DEAD'
b.html:1: ../outside.html: no such file
index.html:2: b.html#nowhere: no such place in b.html
index.html:3: c.html: no such file
index.html:4: https://example.org/picture.png: loaded from elsewhere
DEAD

/usr/bin/python3 -c 'import mkdocs, material, nbconvert' 2>/dev/null || { echo "SKIPPED: mkdocs is not installed"; exit 77; }
scripts/site.sh
grep -q 'uncertainty' build/site/search/search_index.json || fail "the search does not know the pages' words"
for page in README.md docs/*.md; do
  html=build/site/${page%.md}.html
  [ "$page" != README.md ] || html=build/site/index.html
  [ -s "$html" ] || fail "$page is not in the site"
  [ "$page" = README.md ] || grep -q "$page" mkdocs.yml || fail "$page is not in the site's navigation (mkdocs.yml)"
done
