# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""The recipes for other package managers, as far as they can be checked without these: conanfile.py, packaging/vcpkg,
packaging/homebrew. They are well formed, say the project's version and know its optional parts; and versions and the shared
library's name are by the rule of docs/versioning.md. recipes_test.py [LIBSPIGA], in the project's root."""

import json
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

LIBRARY = sys.argv.pop(1) if len(sys.argv) > 1 else None
CMAKE = Path("CMakeLists.txt").read_text(encoding="utf-8")
VERSION = re.search(r"project\(spiga VERSION ([0-9.]+)", CMAKE).group(1)
PARTS = re.search(r"set\(SPIGA_PARTS ([A-Z ]+)\)", Path("cmake/parts.cmake").read_text(encoding="utf-8")).group(1).split()
WITHOUT_WINDOWS = {part.lower() for part in PARTS} - {"show"}  # which a package for servers and libraries does not open


def conan_recipe():
    """The recipe's class, with names of Conan's that do nothing."""
    modules = {"conan": ["ConanFile"], "conan.errors": ["ConanInvalidConfiguration"], "conan.tools": [],
               "conan.tools.build": ["check_min_cppstd"],
               "conan.tools.cmake": ["CMake", "CMakeDeps", "CMakeToolchain", "cmake_layout"]}
    before = {name: sys.modules.get(name) for name in modules}
    for name, members in modules.items():
        sys.modules[name] = types.ModuleType(name)
        for member in members:
            setattr(sys.modules[name], member, type(member, (), {}))
    try:
        scope = {"__name__": "conanfile"}
        exec(compile(Path("conanfile.py").read_text(encoding="utf-8"), "conanfile.py", "exec"), scope)
        return scope["SpigaConan"]
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class Recipes(unittest.TestCase):
    def test_conan(self):
        with tempfile.TemporaryDirectory() as folder:
            py_compile.compile("conanfile.py", cfile=f"{folder}/conanfile.pyc", doraise=True)
        recipe = conan_recipe()
        self.assertEqual(recipe.name, "spiga")
        self.assertEqual({name.removeprefix("with_") for name in recipe.options}, WITHOUT_WINDOWS)
        self.assertEqual(set(recipe.options), set(recipe.default_options))
        for pattern in recipe.exports_sources:
            self.assertTrue(list(Path().glob(pattern)), f"{pattern} is not there")
        instance = recipe()
        instance.recipe_folder = "."
        instance.set_version()
        self.assertEqual(instance.version, VERSION)

    def test_vcpkg(self):
        port = Path("packaging/vcpkg/spiga")
        manifest = json.loads((port / "vcpkg.json").read_text(encoding="utf-8"))
        self.assertEqual((manifest["name"], manifest["version"]), ("spiga", VERSION))
        self.assertEqual(set(manifest["features"]), WITHOUT_WINDOWS)
        for dependency in manifest["dependencies"]:
            self.assertRegex(dependency if isinstance(dependency, str) else dependency["name"], r"^[a-z0-9][a-z0-9-]*$")
        portfile = (port / "portfile.cmake").read_text(encoding="utf-8")
        self.assertEqual(dict(re.findall(r"^ +([a-z]+) SPIGA_WITH_([A-Z]+)", portfile, re.M)),
                         {feature: feature.upper() for feature in WITHOUT_WINDOWS})
        # As CMake reads it: every command that vcpkg has is one that only notes its call.
        commands = sorted(set(re.findall(r"^(vcpkg_\w+)\(", portfile, re.M)))
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "check.cmake"
            script.write_text("".join(f"function({name})\nendfunction()\n" for name in commands) +
                              f"set(CURRENT_PORT_DIR {port.resolve()})\nset(CURRENT_PACKAGES_DIR {folder}/packages)\n"
                              f"include({port.resolve()}/portfile.cmake)\n"
                              "if(NOT EXISTS ${SOURCE_PATH}/CMakeLists.txt)\nmessage(FATAL_ERROR \"not the source\")\nendif()\n",
                              encoding="utf-8")
            done = subprocess.run(["cmake", "-P", str(script)], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_homebrew(self):
        formula = Path("packaging/homebrew/spiga.rb").read_text(encoding="utf-8")
        options = set(re.search(r"off = %w\[([^\]]*)\]", formula).group(1).split())
        known = set(re.findall(r"option\(SPIGA_(\w+)", "".join(Path(file).read_text(encoding="utf-8") for file in (
            "CMakeLists.txt", "cmake/parts.cmake", "python/CMakeLists.txt"))))
        self.assertEqual(options - known, set())
        ruby = shutil.which("ruby")
        if ruby is None:
            self.skipTest("ruby is not installed")
        done = subprocess.run([ruby, "-c", "packaging/homebrew/spiga.rb"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Versions(unittest.TestCase):
    def test_the_headers_and_cmake_say_the_same(self):
        header = Path("include/spiga/version.h").read_text(encoding="utf-8")
        self.assertIn(f'#define SPIGA_VERSION "{VERSION}"', header)
        numbers = [re.search(rf"SPIGA_VERSION_{name} (\d+)", header).group(1) for name in ("MAJOR", "MINOR", "PATCH")]
        self.assertEqual(".".join(numbers), VERSION)

    def test_the_shared_library_is_named_by_the_rule(self):
        if LIBRARY is None or shutil.which("readelf") is None:
            self.skipTest("no library to look at")
        said = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
        name = re.search(r"\(SONAME\).*\[(.*)\]", said).group(1)
        major, minor, _ = VERSION.split(".")
        # Before 1.0 the second number may break programs; from then on only the first.
        self.assertEqual(name, f"libspiga.so.{major}.{minor}" if major == "0" else f"libspiga.so.{major}")


if __name__ == "__main__":
    unittest.main()
