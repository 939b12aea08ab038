#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# scripts/site.sh: builds the documentation site from README.md, docs/ and the other pages of the project into build/site,
# and checks its links: to pages, to places in pages, to pictures and files. Fails on a dead one.
# Needs Debian's mkdocs, mkdocs-material and jupyter-nbconvert (for the tour). To read it with its search:
#   python3 -m http.server --directory build/site 8000
set -euo pipefail
cd "$(dirname "$0")/.."
python=/usr/bin/python3
"$python" -c 'import mkdocs, material, nbconvert' 2>/dev/null ||
  { echo "site: needs mkdocs, mkdocs-material and jupyter-nbconvert (Debian's packages of these names)" >&2; exit 5; }
rm -rf build/site build/site-pages
mkdir -p build/site-pages
cp README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE build/site-pages/
for file in docs models/*.md data/*.md data/*.txt samples configs web/icon.svg; do
  mkdir -p "build/site-pages/$(dirname "$file")"
  cp -r "$file" "build/site-pages/$(dirname "$file")/"
done
# The tour as it was committed, with its outputs.
"$python" -m nbconvert --to markdown docs/tour.ipynb --output-dir build/site-pages/docs --log-level WARN
"$python" -m mkdocs build --strict --quiet
"$python" -B scripts/check_links.py build/site
