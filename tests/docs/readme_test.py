# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""What README.md and docs/ promise: readme_test.py SPIGA, in the project's root.

Every command of the README is run, its example output and its figures are held to what the program says and to the pages
that they come from; every command in docs/ names commands and options that there are.
"""

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = str(Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else None
ROOT = Path.cwd()
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Commands of the README that are tried elsewhere (.ci/run makes the demo in a bare system) or want what a test has not.
ELSEWHERE = {"git clone … spiga && cd spiga", "make demo", "pip install .", "build/release/bin/spiga analyze camera:0 --show"}


def code_lines(text):
    """The lines of the text's blocks of code, continued ones joined."""
    lines, fenced = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            joined = lines and lines[-1].endswith("\\")
            if joined:
                lines[-1] = lines[-1][:-1].rstrip() + " " + line.strip()
            else:
                lines.append(line.strip())
    return lines


def run(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **options)


def left_out():
    """The parts that the program was built without."""
    return set(re.findall(r"SPIGA_WITH_([A-Z]+)=OFF", run(PROGRAM, "--version", "--verbose").stdout))


class Readme(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def in_readme(self, *arguments):
        self.assertTrue(any(" ".join(arguments) in line for line in code_lines(README)), f"README: no {arguments}")

    def test_every_command_runs(self):
        shutil.copy(ROOT / "samples/astronaut.jpg", self.folder / "portrait.jpg")
        (self.folder / "holiday/later").mkdir(parents=True)
        shutil.copy(ROOT / "samples/astronaut.jpg", self.folder / "holiday/later/a.jpg")
        for preset in ("demo", "release"):
            (self.folder / f"build/{preset}/bin").mkdir(parents=True)
            (self.folder / f"build/{preset}/bin/spiga").symlink_to(PROGRAM)
        environment = {**os.environ, "SPIGA_MODEL": str(ROOT / "models/default.safetensors")}
        commands = [line for line in code_lines(README) if re.match(r"(git|make|pip|build/\S+/spiga) ", line)]
        self.assertGreaterEqual(len(commands), 6)
        videos = "VIDEO" not in left_out()
        if videos:
            made = run(PROGRAM, "analyze", "--sequence", str(self.folder / "holiday/later"), "--overlay", str(self.folder / "talk.mp4"),
                       "-o", os.devnull)
            self.assertEqual(made.returncode, 0, made.stderr)
        for command in commands:
            if command in ELSEWHERE or (".mp4" in command and not videos):
                continue
            with self.subTest(command):
                done = run("bash", "-ec", command, cwd=self.folder, env=environment)
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "seen/portrait.jpg").stat().st_size > 10000)
        self.assertEqual(len((self.folder / "faces.csv").read_text().splitlines()), 2)
        self.assertEqual(len(json.loads((self.folder / "faces.jsonl").read_text())["faces"]), 1)
        if videos:
            self.assertIn("<html", (self.folder / "talk.html").read_text())

    def test_the_example_is_what_the_program_prints(self):
        shown = " ".join(itertools.dropwhile(lambda line: not line.startswith('{"source"'), code_lines(README)))
        shown = shown[: shown.index("}}]}") + 4].replace(", …", "").replace("[tx, ty, tz]", "[0, 0, 0]")
        shown = json.loads(shown)
        told = json.loads(run(PROGRAM, "analyze", "samples/astronaut.jpg").stdout)
        self.assertEqual({key: shown[key] for key in ("source", "width", "height")},
                         {key: told[key] for key in ("source", "width", "height")})
        expected, face = shown["faces"][0], told["faces"][0]
        self.assertEqual(set(expected) - set(face), set())
        # Precision depends on the processor.
        self.assertAlmostEqual(face["confidence"], expected["confidence"], delta=0.01)
        self.assertAlmostEqual(face["score"], expected["score"], delta=0.03)
        for found, seen in zip(face["box"] + face["landmarks"][0], expected["box"] + expected["landmarks"][0]):
            self.assertAlmostEqual(found, seen, delta=0.6)
        self.assertAlmostEqual(face["uncertainty"][0], expected["uncertainty"][0], delta=0.3)
        for angle in ("yaw_deg", "pitch_deg", "roll_deg"):
            self.assertAlmostEqual(face["headpose"][angle], expected["headpose"][angle], delta=0.5)

    def test_the_figures_beside_the_alternatives_stand_on_their_pages(self):
        section = README.split("## Beside the alternatives")[1].split("\n## ")[0]
        rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ") and "](" in line]
        self.assertGreaterEqual(len(rows), 5)
        for row in rows:
            page = re.search(r"\]\(([^)#]+)", row[3]).group(1)
            text = (ROOT / page).read_text(encoding="utf-8")
            for figure in re.findall(r"\d+(?:\.\d+)+", row[1] + row[2]):
                self.assertIn(figure, text, f"{row[0].strip()}: {figure} is not in {page}")

    def test_its_animation_is_small(self):
        self.assertIn("docs/images/animation.gif", README)
        data = (ROOT / "docs/images/animation.gif").read_bytes()
        self.assertTrue(data.startswith(b"GIF89a"))
        self.assertLess(len(data), 1_000_000)


class Pages(unittest.TestCase):
    def test_commands_name_options_that_there_are(self):
        helps = {}
        checked = 0
        for page in sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("models/*.md"), *ROOT.glob("samples/*.md")]):
            for line in code_lines(page.read_text(encoding="utf-8")):
                command = re.match(r"(?:\S+ \| )?(?:\S*/)?spiga ([a-z]+) (.*)", line)
                if not command or "…" in line.split("--")[0]:
                    continue
                name, rest = command.groups()
                if name not in helps:
                    helps[name] = run(PROGRAM, name, "--help").stdout
                    if name == "export":
                        helps[name] += run(PROGRAM, name, "--onnx", "--help").stdout
                if "Usage" not in helps[name]:
                    continue  # a part that is left out
                try:
                    words = shlex.split(rest, comments=True)
                except ValueError:
                    continue  # ends in the middle of a quotation
                for option in itertools.takewhile(lambda word: word not in ("|", ">", "&&"), words):
                    if re.match(r"--[a-z]", option):
                        checked += 1
                        with self.subTest(f"{page.name}: {line}"):
                            self.assertRegex(helps[name], re.escape(option) + r"(?![a-z-])")
        self.assertGreater(checked, 30)


if __name__ == "__main__":
    if PROGRAM is None:
        sys.exit(__doc__)
    unittest.main()
