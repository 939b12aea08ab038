#!/usr/bin/python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Makes docs/images/animation.gif, the README's picture: samples/astronaut.jpg seen by a camera that turns and comes
nearer, each frame as `spiga analyze --overlay` draws it, on the right with the fitted mesh.

    scripts/readme_animation.py [SPIGA] [GIF]        (build/demo/bin/spiga, docs/images/animation.gif)

Needs Pillow.
"""
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

SIDE = 272  # of each half, pixels
FRAMES = 16
FACE = (222, 144)  # what the camera looks at


def frame_at(picture, phase):
    """The square of the picture that the camera sees, phase in [0, 1)."""
    angle = math.radians(28 * math.sin(2 * math.pi * phase))
    half = 92 - 12 * math.cos(4 * math.pi * phase)
    x = FACE[0] + 14 * math.sin(4 * math.pi * phase)
    scale = 2 * half / SIDE
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    middle = SIDE / 2
    matrix = (cosine, -sine, x - middle * (cosine - sine), sine, cosine, FACE[1] - middle * (sine + cosine))
    return picture.transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def main(program, output):
    picture = Image.open("samples/astronaut.jpg").convert("RGB")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "frames").mkdir()
        for number in range(FRAMES):
            frame_at(picture, number / FRAMES).save(folder / "frames" / f"{number:02}.png")
        halves = []
        for options in ([], ["--overlay-mesh"]):
            seen = folder / f"seen{len(options)}"
            subprocess.run([program, "analyze", str(folder / "frames"), "--overlay", str(seen), *options,
                            "-o", str(folder / "faces.jsonl")], check=True)
            halves.append([Image.open(file).convert("RGB") for file in sorted(seen.rglob("*.png"))])
    if any(len(half) != FRAMES for half in halves):
        sys.exit(f"readme_animation: expected {FRAMES} frames, found {[len(half) for half in halves]}")
    frames = []
    for left, right in zip(*halves):
        frames.append(Image.new("RGB", (2 * SIDE, SIDE)))
        frames[-1].paste(left, (0, 0))
        frames[-1].paste(right, (SIDE, 0))
    # One palette for all frames, or the colours of what stands still would flicker.
    sheet = Image.new("RGB", (2 * SIDE, 4 * SIDE))
    for place, frame in enumerate(frames[:: FRAMES // 4][:4]):
        sheet.paste(frame, (0, SIDE * place))
    palette = sheet.quantize(80, dither=Image.Dither.NONE)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    frames[0].save(output, save_all=True, append_images=frames[1:], duration=140, loop=0, optimize=True)
    print(f"{output}: {Path(output).stat().st_size} bytes, {FRAMES} frames")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "build/demo/bin/spiga",
         sys.argv[2] if len(sys.argv) > 2 else "docs/images/animation.gif")
