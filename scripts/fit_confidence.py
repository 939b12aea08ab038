#!/usr/bin/env python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Fits the probability that a detector's find is a face to its score, on pictures of which every face is boxed.

    spiga analyze --min-score -1.2 -o found.jsonl scenes/images
    scripts/fit_confidence.py scenes/train.json found.jsonl

SCENES is a JSON list of {"imgpath", "boxes": [[x, y, w, h], ...]} and, if wanted, "ignore": boxes in which nobody
looked, and "attributes": one object a box, of which "invalid": 1 says that nobody could tell whether it is a face.
FOUND are the lines of `spiga analyze`. A find is a face where it overlaps a box that no surer find has taken, from an
intersection over union of 0.3 on (the boxes may reach from forehead to chin, finds reach from the eyebrows on).

Prints A and B of P = 1 / (1 + exp(-(A + B * score))), fitted by maximum likelihood, and how often finds were faces
by P, on the half of the pictures that the fit has not seen (it is done twice, on either half, and on all).
"""
import argparse
import json
import math
import pathlib


def overlap(a, b):
    """Intersection and union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    return both, a[2] * a[3] + b[2] * b[3] - both


def iou(a, b):
    both, union = overlap(a, b)
    return both / union if union > 0 else 0.0


def judged(scene, faces, least):
    """Of one picture: (score, is a face) for each find that can be told."""
    boxes = scene["boxes"]
    attributes = scene.get("attributes", [{}] * len(boxes))
    unsure = [box for box, one in zip(boxes, attributes) if one.get("invalid")] + scene.get("ignore", [])
    known = [box for box, one in zip(boxes, attributes) if not one.get("invalid")]
    taken, samples = set(), []
    for face in sorted(faces, key=lambda one: -one["score"]):
        found = face["box"]
        free = [(iou(found, box), i) for i, box in enumerate(known) if i not in taken]
        best = max(free, default=(0.0, -1))
        if best[0] >= least:
            taken.add(best[1])
            samples.append((face["score"], 1))
        elif not any(iou(found, box) >= least or overlap(found, box)[0] > 0.5 * found[2] * found[3] for box in unsure):
            samples.append((face["score"], 0))
    return samples


def probability(a, b, score):
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, a + b * score))))


def fit(samples):
    """A and B of the largest likelihood, by Newton's method."""
    a, b = 0.0, 1.0
    for _ in range(50):
        ga = gb = haa = hab = hbb = 0.0
        for score, face in samples:
            p = probability(a, b, score)
            weight = p * (1 - p)
            ga += face - p
            gb += (face - p) * score
            haa += weight
            hab += weight * score
            hbb += weight * score * score
        determinant = haa * hbb - hab * hab
        step_a, step_b = (hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant
        a, b = a + step_a, b + step_b
        if abs(step_a) + abs(step_b) < 1e-9:
            break
    return a, b


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=pathlib.Path, metavar="SCENES")
    parser.add_argument("found", type=pathlib.Path, metavar="FOUND")
    parser.add_argument("--iou", type=float, default=0.3, help="least intersection over union of a face [0.3]")
    options = parser.parse_args()
    found = {}
    for line in options.found.read_text().splitlines():
        picture = json.loads(line)
        found[pathlib.PurePath(picture["source"]).name] = picture["faces"]
    pictures = []
    for scene in json.loads(options.scenes.read_text()):
        name = pathlib.PurePath(scene["imgpath"]).name
        if name in found:
            pictures.append(judged(scene, found[name], options.iou))
    samples = [one for picture in pictures for one in picture]
    faces = sum(face for _, face in samples)
    print(f"{len(pictures)} pictures, {len(samples)} finds, {faces} of them faces")
    a, b = fit(samples)
    print(f"A = {a:.4f}, B = {b:.4f}")
    halves = [[one for i, picture in enumerate(pictures) if i % 2 == half for one in picture] for half in (0, 1)]
    held_out = []
    for half in (0, 1):
        own = fit(halves[1 - half])
        held_out += [(probability(*own, score), face) for score, face in halves[half]]
    print("P of      finds  mean P  faces   (each half by the other's fit)")
    error = 0.0
    for low in range(10):
        inside = [one for one in held_out if low <= 10 * one[0] < low + 1]
        if inside:
            mean = sum(p for p, _ in inside) / len(inside)
            share = sum(face for _, face in inside) / len(inside)
            error += abs(mean - share) * len(inside) / len(held_out)
            print(f"{low / 10:.1f}-{low / 10 + 0.1:.1f} {len(inside):8} {mean:7.3f} {share:6.3f}")
    print(f"mean difference {error:.3f}")


if __name__ == "__main__":
    main()
