# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""The console command of the wheel: becomes the program that lies in it."""

import os
import sys
from pathlib import Path


def main() -> None:
    program = Path(__file__).parent / "bin" / "spiga"
    if not program.exists():
        sys.exit(f"spiga: {program} is not there: this package has the Python module alone")
    os.execv(program, ["spiga", *sys.argv[1:]])
