#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# scripts/site.sh: builds the documentation site from README.md, docs/ and the other pages of the project into build/site,
# and checks its links: to pages, to places in pages, to pictures and files. Fails on a dead one.
# Needs Debian's mkdocs and mkdocs-material. To read it with its search:
#   python3 -m http.server --directory build/site 8000
set -euo pipefail
cd "$(dirname "$0")/.."
python=/usr/bin/python3
"$python" -c 'import mkdocs, material' 2>/dev/null ||
  { echo "site: needs mkdocs and mkdocs-material (Debian: apt install mkdocs mkdocs-material)" >&2; exit 5; }
rm -rf build/site build/site-pages
mkdir -p build/site-pages
cp README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE build/site-pages/
for file in docs models/*.md data/*.md data/*.txt samples configs web/icon.svg; do
  mkdir -p "build/site-pages/$(dirname "$file")"
  cp -r "$file" "build/site-pages/$(dirname "$file")/"
done
"$python" -m mkdocs build --strict --quiet
"$python" -B scripts/check_links.py build/site
