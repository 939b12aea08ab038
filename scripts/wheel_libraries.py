#!/usr/bin/env python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Shared libraries of a wheel.

  wheel_libraries.py check WHEEL         names every library that the wheel needs and neither has nor may expect of a
                                         Linux system, and exits with 1 where there is one; else says which C library
                                         it needs, as a tag of PEP 600
  wheel_libraries.py vendor WHEEL FOLDER writes into FOLDER a wheel with those libraries inside, under names of their own
                                         (so that another package's do not come between), and with that tag; the plain
                                         LAPACK and BLAS where they are installed, since OpenCV's core needs them
                                         for nothing that is called here, and OpenBLAS is large

Needs ldd, readelf (binutils) and, for vendor, patchelf.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
import build_backend  # noqa: E402

# What any Linux with glibc has: the C library's own files and the compiler's runtime.
ALLOWED = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|util|resolv|anl|nsl|mvec|gcc_s|stdc\+\+))\.so\.\d+")


def run(*words):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


def is_elf(path):
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def binaries(folder):
    return sorted(path for path in folder.rglob("*") if is_elf(path))


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", "-W", path))


def glibc(path):
    """The newest version of the C library that a file names, as (2, n)."""
    found = re.findall(r"Name: GLIBC_2\.(\d+)", run("readelf", "-V", "-W", path))
    return max((2, int(number)) for number in found) if found else (2, 0)


def unpack(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            if entry.external_attr >> 16 & 0o111:
                path.chmod(0o755)


def missing(folder):
    """Library -> files that need it, of those that are neither in the wheel nor the system's."""
    files = binaries(folder)
    inside = {path.name for path in files}
    wanted = {}
    for path in files:
        for name in needed(path):
            if name not in inside and not ALLOWED.fullmatch(name):
                wanted.setdefault(name, []).append(str(path.relative_to(folder)))
    return wanted


def platform_tag(folder):
    newest = max(glibc(path) for path in binaries(folder))
    return f"manylinux_{newest[0]}_{newest[1]}_{os.uname().machine}"


def keep_licence(library, folder):
    """Copies what Debian says of the rights in a library; nothing where the library is no package's."""
    names = [str(library), str(library).removeprefix("/usr")]  # before and after Debian's folders were merged
    owner = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True).stdout.split(":")[0]
    text = Path(f"/usr/share/doc/{owner}/copyright")
    if owner and text.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(text, folder / f"{owner}.txt")


def vendor(folder):
    """Puts every library that is missing, and what those need, into spiga/lib."""
    inside = {path.name for path in binaries(folder)}
    sources = {}  # name -> file of the system
    machine = os.uname().machine
    os.environ["LD_LIBRARY_PATH"] = ":".join(f"/usr/lib/{machine}-linux-gnu/{name}" for name in ("lapack", "blas"))
    for path in binaries(folder):
        for name, file in re.findall(r"^\s*(\S+) => (/\S+)", run("ldd", path), re.MULTILINE):
            if name not in inside and not ALLOWED.fullmatch(name):
                sources[name] = Path(file).resolve()
    names = {}
    for name, source in sources.items():
        digest = hashlib.sha256(source.read_bytes()).hexdigest()[:8]
        stem, rest = name.split(".so", 1)
        names[name] = f"{stem}-{digest}.so{rest}"
        target = folder / "spiga/lib" / names[name]
        shutil.copy(source, target)
        target.chmod(0o755)
        keep_licence(source, folder / "spiga/share/doc/libraries")
        run("patchelf", "--set-soname", names[name], "--set-rpath", "$ORIGIN", target)
    for path in binaries(folder):
        replaced = [word for name in needed(path) if name in names
                    for word in ("--replace-needed", name, names[name])]
        if replaced:
            run("patchelf", *replaced, path)
    return names


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("check", "vendor") or len(arguments) != 2 + (arguments[0] == "vendor"):
        sys.exit(__doc__)
    wheel = Path(arguments[1])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        unpack(wheel, folder)
        if arguments[0] == "vendor":
            count = len(vendor(folder))
            python = "-".join(wheel.stem.split("-")[2:4])
            tag = f"{python}-{platform_tag(folder)}"
            target = Path(arguments[2]) / f"spiga-{build_backend.version()}-{tag}.whl"
            build_backend.write_wheel(folder, target, tag)
            wheel = target
            print(f"{target}: {count} libraries vendored, {target.stat().st_size / 1e6:.0f} MB")
        wanted = missing(folder)
        for name, files in sorted(wanted.items()):
            print(f"{wheel.name}: {name} is neither in the wheel nor the system's: needed by {', '.join(files)}",
                  file=sys.stderr)
        if wanted:
            sys.exit(1)
        print(f"{wheel.name}: needs nothing but what {platform_tag(folder)} has")


main(sys.argv[1:])
