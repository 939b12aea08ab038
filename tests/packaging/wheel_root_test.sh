#!/usr/bin/env bash
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
# wheel_root_test.sh WHEEL [SPIGA]: installs a wheel in a bare Debian (debootstrap, no network after that) that has
# Python and NumPy and nothing else, and compares what it finds in samples/astronaut.jpg, in Python and by the command,
# with the built program's faces (build/demo/bin/spiga): equal to 0.05 pixel. As root, with debootstrap and pip's wheel
# (python3-pip-whl); exits with 77 where these are not there. The root stays in build/wheel-root for the next time.
set -euo pipefail
cd "$(dirname "$0")/../.."
wheel=$(realpath "${1:?the wheel}") spiga=$(realpath "${2:-build/demo/bin/spiga}")
root=$PWD/build/wheel-root mirror=${SPIGA_MIRROR:-http://deb.debian.org/debian}
skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || skip "not root"
command -v debootstrap >/dev/null || skip "no debootstrap"
pip=$(ls /usr/share/python-wheels/pip-*.whl 2>/dev/null | head -1)
[ -n "$pip" ] || skip "no pip (Debian: python3-pip-whl)"

if [ ! -e "$root/done" ]; then
  rm -rf "$root"
  debootstrap --variant=minbase --include=python3,python3-numpy bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -5 "$root.log"; skip "debootstrap failed"; }
  touch "$root/done"
fi
rm -rf "$root/opt/test" && mkdir -p "$root/opt/test"
cp "$wheel" "$pip" samples/astronaut.jpg "$root/opt/test/"
cat >"$root/opt/test/faces.py" <<'PYTHON'
import json, sys
import numpy as np
import spiga
# What the command has decoded would need a decoder here: pixels come as PPM.
with open("/opt/test/astronaut.ppm", "rb") as file:
    assert file.readline() == b"P6\n"
    width, height = map(int, file.readline().split())
    assert file.readline() == b"255\n"
    pixels = np.frombuffer(file.read(), np.uint8).reshape(height, width, 3)
faces = spiga.Analyzer(precision="f32", quality="fast").analyze(pixels, format="rgb")
print(json.dumps({"faces": [{"landmarks": face.landmarks.tolist()} for face in faces]}))
PYTHON
"${PYTHON:-/usr/bin/python3}" -c '
import sys
from PIL import Image
Image.open(sys.argv[1]).convert("RGB").save(sys.argv[2])' samples/astronaut.jpg "$root/opt/test/astronaut.ppm"

# With /proc, by which programs find what lies beside them.
inside() { unshare --mount sh -c 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"' "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}" "$@"; }
start=$SECONDS
inside python3 "/opt/test/${pip##*/}/pip" install --quiet --no-index --no-deps --force-reinstall --break-system-packages \
  --root-user-action=ignore "/opt/test/${wheel##*/}" || fail "pip could not install it"
inside spiga analyze /opt/test/astronaut.jpg --precision f32 --quality fast >"$root/opt/test/command.json" || fail "the command failed"
echo "installed and the first face found after $((SECONDS - start)) s"
inside python3 /opt/test/faces.py >"$root/opt/test/module.json" || fail "the module failed"
inside spiga --version --verbose
inside python3 -c 'import spiga, os; folder = os.path.dirname(spiga.__file__); assert os.path.exists(folder + "/py.typed") and os.path.exists(folder + "/_spiga.pyi")' ||
  fail "no type stubs"
"$spiga" analyze samples/astronaut.jpg --precision f32 --quality fast >"$root/opt/test/native.json"
"${PYTHON:-/usr/bin/python3}" - "$root/opt/test" <<'PYTHON'
import json, pathlib, sys
import numpy as np
folder = pathlib.Path(sys.argv[1])
native, command, module = (json.loads((folder / f"{name}.json").read_text())["faces"]
                           for name in ("native", "command", "module"))
assert len(native) == 1 and len(command) == 1 and len(module) == 1, (len(native), len(command), len(module))
points = [np.array(faces[0]["landmarks"]) for faces in (native, command, module)]
for name, other in (("command", points[1]), ("module", points[2])):
    far = np.abs(other - points[0]).max()
    print(f"{name}: landmarks differ by {far:.4f} pixels at most")
    assert far < 0.05
PYTHON
echo "the wheel's faces are the native ones"
