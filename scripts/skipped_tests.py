#!/usr/bin/python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Names the tests that were skipped, with their reasons.

    scripts/skipped_tests.py build/release/tests.xml tests/may_be_skipped.txt

The second file holds a regular expression of reasons a line (# begins a comment). A test skipped for another reason is
marked, and with SPIGA_STRICT_SKIPS=1 in the environment ends in status 1.
"""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree


def reason_of(case):
    """What the test said: of GoogleTest the line before its own word Skipped, else its last line."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines() if line.strip()]
    for line, following in zip(lines, lines[1:]):
        if following.startswith("[  SKIPPED ]"):
            return line
    skipped = case.find("skipped")
    return lines[-1] if lines else (skipped.get("message") or "no reason told")


def main(report, allowed_file):
    with open(allowed_file, encoding="utf-8") as file:
        allowed = [re.compile(line.strip()) for line in file if line.strip() and not line.startswith("#")]
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    skipped = [case for case in cases if case.find("skipped") is not None]
    unexpected = 0
    print(f"{len(cases)} tests, {len(skipped)} skipped")
    for case in skipped:
        reason = reason_of(case)
        known = any(pattern.search(reason) for pattern in allowed)
        unexpected += not known
        print(f"  {'' if known else 'UNEXPECTED: '}{case.get('name')}: {reason}")
    return 1 if unexpected and os.environ.get("SPIGA_STRICT_SKIPS") == "1" else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
