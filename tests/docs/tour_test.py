# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""docs/tour.ipynb runs, says what it promises, and is small. In the project's root, with the Python module in PYTHONPATH; exits
with 77 where Jupyter's nbconvert and ipykernel are not installed."""

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOUR = Path("docs/tour.ipynb")
LIMIT = 300_000  # bytes of the committed file, its outputs with it


def outputs(notebook):
    """What each cell of code has put out: (kinds, text)."""
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            kinds = [kind for output in cell["outputs"] for kind in (output.get("data") or [output["output_type"]])]
            cells.append((kinds, "".join("".join(output.get("text", "")) for output in cell["outputs"])))
    return cells


def main():
    for module in ("nbconvert", "ipykernel"):
        if importlib.util.find_spec(module) is None:
            print(f"SKIPPED: {module} is not installed")
            return 77
    assert TOUR.stat().st_size <= LIMIT, f"{TOUR}: expected at most {LIMIT} bytes, found {TOUR.stat().st_size}"
    committed = json.loads(TOUR.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", str(TOUR), "--output-dir",
                               folder, "--output", "tour.ipynb"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        fresh = json.loads((Path(folder) / "tour.ipynb").read_text(encoding="utf-8"))
    assert [kinds for kinds, _ in outputs(fresh)] == [kinds for kinds, _ in outputs(committed)], "other outputs than committed"
    text = "\n".join(text for _, text in outputs(fresh))
    print(text)

    def number(pattern):
        found = re.search(pattern, text)
        assert found, f"expected {pattern!r}"
        return float(found.group(1))

    assert number(r"NME ([0-9.]+) %") < 1.5
    assert number(r"mouth: [0-9.]+ pixels, covered ([0-9.]+)") > 1.5 * number(r"mouth: ([0-9.]+) pixels")
    assert number(r"tracker: ([0-9.]+)") < number(r"frame by frame: ([0-9.]+)")
    assert "ids: {0}" in text
    for angle in (-40, -20, 20, 40):
        roll = number(rf"turned by +{re.escape(format(angle, '+d'))}: .* roll +([-+0-9.]+)")
        assert abs(roll + angle) < 5, f"turned by {angle}, told a roll of {roll}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
