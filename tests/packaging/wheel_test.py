# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""What packs wheels (python/build_backend.py), on a folder of the test's own. In the project's root."""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

sys.path.insert(0, "python")
import build_backend  # noqa: E402


class Wheel(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        stage = self.folder / "stage"
        (stage / "spiga/bin").mkdir(parents=True)
        (stage / "spiga/__init__.py").write_text("value = 7\n")
        (stage / "spiga/_command.py").write_text(Path("python/spiga/_command.py").read_text())
        (stage / "spiga/bin/spiga").write_text("#!/bin/sh\necho program \"$@\"\n")
        (stage / "spiga/bin/spiga").chmod(0o755)
        self.stage = stage
        self.wheel = self.folder / f"spiga-{build_backend.version()}-py3-none-any.whl"
        build_backend.write_wheel(stage, self.wheel, "py3-none-any")

    def test_its_record_names_every_file_with_its_hash(self):
        with zipfile.ZipFile(self.wheel) as archive:
            info = f"spiga-{build_backend.version()}.dist-info"
            rows = [row.split(",") for row in archive.read(f"{info}/RECORD").decode().split()]
            self.assertEqual(sorted(row[0] for row in rows), sorted(archive.namelist()))
            for name, digest, size in rows:
                if name == f"{info}/RECORD":
                    self.assertEqual((digest, size), ("", ""))
                    continue
                data = archive.read(name)
                expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                self.assertEqual((digest, size), (f"sha256={expected}", str(len(data))), name)
            self.assertIn(f"Version: {build_backend.version()}\n", archive.read(f"{info}/METADATA").decode())

    def test_the_same_files_are_the_same_bytes(self):
        again = self.folder / "again.whl"
        os.utime(self.stage / "spiga/__init__.py", (1, 1))
        build_backend.write_wheel(self.stage, again, "py3-none-any")
        self.assertEqual(again.read_bytes(), self.wheel.read_bytes())

    def test_pip_installs_it_and_its_command_runs_the_program(self):
        pips = sorted(Path("/usr/share/python-wheels").glob("pip-*.whl"))
        if not pips:
            self.skipTest("python3-pip-whl is not installed")
        target = self.folder / "target"
        subprocess.run([sys.executable, f"{pips[0]}/pip", "install", "--quiet", "--no-index", "--no-deps", "--target", target,
                        self.wheel], check=True)
        environment = {**os.environ, "PYTHONPATH": str(target)}
        imported = subprocess.run([sys.executable, "-c", "import spiga; print(spiga.value)"], env=environment,
                                  cwd=self.folder, check=True, capture_output=True, text=True).stdout
        self.assertEqual(imported, "7\n")
        said = subprocess.run([target / "bin/spiga", "analyze", "a b"], env=environment, check=True, capture_output=True,
                              text=True).stdout
        self.assertEqual(said, "program analyze a b\n")

    def test_the_source_archive_has_what_is_tracked_and_its_metadata(self):
        name = build_backend.build_sdist(self.folder)
        with tarfile.open(self.folder / name) as archive:
            names = archive.getnames()
            top = f"spiga-{build_backend.version()}"
            for file in ("PKG-INFO", "pyproject.toml", "CMakeLists.txt", "models/default.safetensors"):
                self.assertIn(f"{top}/{file}", names)
            self.assertTrue(archive.extractfile(f"{top}/PKG-INFO").read().startswith(b"Metadata-Version: 2.1\n"))


if __name__ == "__main__":
    unittest.main()
