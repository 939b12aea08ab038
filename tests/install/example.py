# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""example.py PAGE LANGUAGE: prints the page's first example in that language, so that tests run what docs/ shows."""
import re
import sys

page, language = sys.argv[1:]
found = re.search(rf"^```{language}\n(.*?)^```$", open(page, encoding="utf-8").read(), re.M | re.S)
sys.exit(f"{page}: no example in {language}") if found is None else print(found[1], end="")
