#!/usr/bin/python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""same_faces.py A B PIXELS: two outputs of `spiga analyze` of one picture have the same faces: as many, at least one, and no
landmark and no box differs by more than that many pixels. Prints the largest difference; status 1 where they differ."""
import json
import sys


def numbers_of(face):
    return [number for point in face["landmarks"] for number in point] + face["box"]


def main(first, second, pixels):
    faces = []
    for name in (first, second):
        with open(name, encoding="utf-8") as file:
            faces.append(json.load(file)["faces"])
    if not faces[0] or len(faces[0]) != len(faces[1]):
        sys.exit(f"{second}: expected {len(faces[0])} faces as in {first}, and at least one; found {len(faces[1])}")
    far = max(abs(a - b) for one, other in zip(*faces) for a, b in zip(numbers_of(one), numbers_of(other), strict=True))
    print(f"{second}: {len(faces[1])} face(s), landmarks and boxes differ from {first} by {far:.4f} pixels at most")
    return 0 if far <= pixels else 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
