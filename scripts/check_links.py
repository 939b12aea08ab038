#!/usr/bin/python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the links of a folder of HTML pages: every address inside it must be a file, and every part behind # the id of an
element there. Addresses outside are not looked at, but pictures, styles and programs must be inside.

    scripts/check_links.py FOLDER

One line for each dead link, and status 1 if there is one.
"""
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = {"a": "href", "area": "href", "form": "action"}
PARTS = {"img": "src", "script": "src", "source": "src", "video": "src", "iframe": "src"}
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload"}


class Page(HTMLParser):
    """ids: what a link may point to; links: (address, line, whether the browser loads it by itself)."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.update(values[name] for name in ("id", "name") if values.get(name) and (name == "id" or tag == "a"))
        line = self.getpos()[0]
        if tag == "link" and values.get("href"):
            self.links.append((values["href"], line, bool(LOADED_LINKS & set((values.get("rel") or "").split()))))
        for table, loaded in ((LINKS, False), (PARTS, True)):
            if values.get(table.get(tag)):
                self.links.append((values[table[tag]], line, loaded))


def main(folder):
    folder = Path(folder).resolve()
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.html"))}
    if not pages:
        sys.exit(f"{folder}: expected HTML pages, found none")
    checked, dead = 0, []
    for file, page in pages.items():
        for address, line, loaded in page.links:
            parts = urlsplit(address)
            where = f"{file.relative_to(folder)}:{line}: {address}"
            if parts.scheme or parts.netloc:
                if loaded and parts.scheme != "data":
                    dead.append(f"{where}: loaded from elsewhere")
                continue
            checked += 1
            target = file
            if parts.path:
                # The page of an error may be shown at any address, and has addresses from the root on.
                base = folder if parts.path.startswith("/") else file.parent
                target = (base / unquote(parts.path).lstrip("/")).resolve()
                if target.is_dir():
                    target = target / "index.html"
            if folder not in target.parents or not target.is_file():
                dead.append(f"{where}: no such file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                dead.append(f"{where}: no such place in {target.relative_to(folder)}")
    for line in dead:
        print(line, file=sys.stderr)
    print(f"{len(pages)} pages, {checked} links inside, {len(dead)} dead")
    return 1 if dead else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
