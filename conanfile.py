# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Conan 2 recipe of this tree: `conan create . --build=missing`. docs/install.md says what has been tried of it.

Options name the parts of docs/install.md; all are off, which is the core: pictures in, faces out.
"""
import re
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout

required_conan_version = ">=2.0"

# Part -> what it needs beside the core's libraries.
PARTS = {
    "dlib": ["dlib/[>=19.24 <20]"],
    "yunet": [],  # modules of OpenCV, below
    "video": [],
    "import": ["libzip/[>=1.7 <2]"],
    "evaluate": [],
    "serve": ["boost/[>=1.74]", "openssl/[>=3 <4]"],
    "imgcodecs": [],
}
OPENCV_MODULES = {"yunet": "objdetect", "video": "videoio", "imgcodecs": "imgcodecs"}


class SpigaConan(ConanFile):
    name = "spiga"
    description = "Facial landmarks and head pose of every face in a picture"
    license = "BSD-3-Clause"
    topics = ("face", "facial-landmarks", "head-pose", "computer-vision")
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {f"with_{part}": [True, False] for part in PARTS}
    default_options = {f"with_{part}": False for part in PARTS}
    exports_sources = ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "cmake/*", "configs/*", "data/*", "include/*", "models/*",
                       "packaging/*", "python/CMakeLists.txt", "src/*", "web/*")

    def set_version(self):
        text = (Path(self.recipe_folder) / "CMakeLists.txt").read_text(encoding="utf-8")
        self.version = re.search(r"project\(spiga VERSION ([0-9.]+)", text).group(1)

    def configure(self):
        opencv = self.options["opencv"]
        for module in sorted(set(OPENCV_MODULES.values())):
            setattr(opencv, module, any(self.options.get_safe(f"with_{part}") for part, name in OPENCV_MODULES.items() if name == module))

    def requirements(self):
        self.requires("onednn/[>=2.6 <3]")  # 3 has another interface
        self.requires("opencv/[>=4.6 <5]")
        self.requires("eigen/[>=3.4 <4]")
        self.requires("nlohmann_json/[>=3.11 <4]")
        self.requires("cli11/[>=2.3 <3]")
        self.requires("libjpeg-turbo/[>=2.1]")
        self.requires("libpng/[>=1.6 <2]")
        self.requires("libwebp/[>=1.2 <2]")
        for part, libraries in PARTS.items():
            if self.options.get_safe(f"with_{part}"):
                for library in libraries:
                    self.requires(library)

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("spiga has been built on Linux only")
        if self.options.with_evaluate and not self.options.with_imgcodecs:
            raise ConanInvalidConfiguration("spiga: with_evaluate needs with_imgcodecs")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for name in ("BUILD_TRAIN", "BUILD_PYTHON", "BUILD_TESTS", "BUILD_BENCH", "WITH_SHOW"):
            toolchain.cache_variables[f"SPIGA_{name}"] = False
        for part in PARTS:
            toolchain.cache_variables[f"SPIGA_WITH_{part.upper()}"] = bool(self.options.get_safe(f"with_{part}"))
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        cmake = CMake(self)
        for component in ("library", "development", "spiga"):
            cmake.install(component=component)

    def package_info(self):
        self.cpp_info.libs = ["spiga"]
        self.cpp_info.set_property("cmake_file_name", "spiga")
        self.cpp_info.set_property("cmake_target_name", "spiga::spiga")
        self.cpp_info.set_property("pkg_config_name", "spiga")
