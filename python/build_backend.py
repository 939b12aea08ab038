# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""How pip builds spiga (PEP 517): runs CMake and packs what it installs as a wheel. Needs Python's own library only.

The wheel has the Python module, the shared library, the program and the default models. Optional parts of the program
(docs/install.md) are left out unless asked for, by the environment's SPIGA_CMAKE_ARGS or by pip's
`--config-settings=cmake.args=...`, for example "-DSPIGA_WITH_VIDEO=ON". Needed libraries are the system's;
scripts/build_wheel.sh makes a wheel that brings them along.
"""

import base64
import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYOUT = {  # of the installation, which becomes the wheel
    "CMAKE_INSTALL_LIBDIR": "spiga/lib",
    "CMAKE_INSTALL_BINDIR": "spiga/bin",
    "CMAKE_INSTALL_DATADIR": "spiga/share",
    "CMAKE_INSTALL_DOCDIR": "spiga/share/doc",
    "CMAKE_INSTALL_MANDIR": "spiga/share/man",
    "CMAKE_INSTALL_RPATH": "$ORIGIN;$ORIGIN/../lib",
    "SPIGA_PYTHON_DIR": ".",
    "SPIGA_PYTHON_RPATH": "$ORIGIN/lib",
}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of every file, so that the same files make the same wheel


def version():
    return re.search(r"project\(spiga VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def metadata():
    return (f"Metadata-Version: 2.1\nName: spiga\nVersion: {version()}\n"
            "Summary: Facial landmarks and head pose of every face in a picture\n"
            "License: BSD-3-Clause; the default model is for non-commercial research only\n"
            "Requires-Python: >=3.9\nRequires-Dist: numpy\nDescription-Content-Type: text/markdown\n\n"
            + (ROOT / "README.md").read_text())


def tag():
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-{re.sub('[-.]', '_', sysconfig.get_platform())}"


def write_wheel(folder, path, wheel_tag):
    """Packs a folder as the wheel `path`, with its record; the same files give the same bytes."""
    info = f"spiga-{version()}.dist-info"
    texts = {
        f"{info}/METADATA": metadata(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: spiga\nRoot-Is-Purelib: false\nTag: {wheel_tag}\n",
        f"{info}/entry_points.txt": "[console_scripts]\nspiga = spiga._command:main\n",
        f"{info}/LICENSE": (ROOT / "LICENSE").read_text(),
    }
    record = []
    temporary = Path(f"{path}.part")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        def add(name, data, executable=False):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")

        for file in sorted(folder.rglob("*")):
            name = file.relative_to(folder).as_posix()
            if file.is_file() and not name.split("/")[0].endswith(".dist-info"):
                add(name, file.read_bytes(), os.access(file, os.X_OK))
        for name, text in texts.items():
            add(name, text.encode())
        record.append(f"{info}/RECORD,,\n")
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD", EPOCH), "\n".join(record))
    temporary.replace(path)


def run(*words):
    subprocess.run(words, check=True, cwd=ROOT, stdout=sys.stderr)


def build(stage, more):
    """Builds what the wheel has and installs it into the folder `stage`."""
    folder = ROOT / "build" / f"wheel-{sysconfig.get_platform()}-{sys.version_info.major}.{sys.version_info.minor}"
    options = {**LAYOUT, "SPIGA_BUILD_PYTHON": "ON", "Python_EXECUTABLE": sys.executable}
    run("cmake", "--preset", "demo", "-B", str(folder), *(f"-D{name}={value}" for name, value in options.items()),
        *shlex.split(os.environ.get("SPIGA_CMAKE_ARGS", "")), *more)
    if "\nSPIGA_PYTHON:" not in (folder / "CMakeCache.txt").read_text():
        sys.exit("spiga: the Python module needs pybind11 and the development files of this Python "
                 "(Debian: pybind11-dev, python3-dev)")
    run("cmake", "--build", str(folder), "--target", "spiga_shared", "spiga_program", "spiga_python")
    shutil.rmtree(stage, ignore_errors=True)
    for component in ("library", "spiga", "python"):
        run("cmake", "--install", str(folder), "--prefix", str(stage), "--component", component, "--strip")
    for system_only in ("spiga/share/man", "spiga/share/bash-completion", "lib"):
        shutil.rmtree(stage / system_only)
    # A wheel has no links: the library is there by the name that programs are linked with.
    library = next((stage / "spiga/lib").glob("libspiga.so.?.?"))
    real = library.resolve()
    library.unlink()
    real.rename(library)
    shutil.copy(ROOT / "python/spiga/_command.py", stage / "spiga")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    arguments = (config_settings or {}).get("cmake.args", [])
    stage = ROOT / "build" / "wheel-stage"
    build(stage, shlex.split(arguments) if isinstance(arguments, str) else list(arguments))
    name = f"spiga-{version()}-{tag()}.whl"
    write_wheel(stage, Path(wheel_directory) / name, tag())
    return name


def build_sdist(sdist_directory, config_settings=None):
    name = f"spiga-{version()}"
    files = subprocess.run(("git", "ls-files", "-z"), check=True, cwd=ROOT, capture_output=True).stdout.decode()
    with tarfile.open(Path(sdist_directory) / f"{name}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for file in filter(None, files.split("\0")):
            archive.add(ROOT / file, f"{name}/{file}", recursive=False)
        text = metadata().encode()
        entry = tarfile.TarInfo(f"{name}/PKG-INFO")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return f"{name}.tar.gz"
