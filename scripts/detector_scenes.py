#!/usr/bin/env python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Makes scenes for the detector's training and evaluation (docs/detector.md) from other annotations.

    scripts/detector_scenes.py split wider-scenes/train.json --held-out configs/wider-scenes-heldout.txt \\
        --train boxed-train.json --valid boxed-valid.json
    spiga analyze --min-score -1.2 -o found.jsonl wider-scenes/images
    scripts/detector_scenes.py faces boxed-train.json found.jsonl -o wider-train.json
    scripts/detector_scenes.py crops aflw-poses/train.json -o poses-train.json

split: the pictures of any annotations that --held-out names, and the others. Without such a file, --rule 5:1 writes
    it: the pictures the CRC-32 of whose file names leaves the remainder 1 by 5.
faces: pictures with boxes of whole heads ("boxes", "attributes", "ignore", as scripts/fit_confidence.py reads them)
    become scenes to train on. A head in which detector and landmark network are sure of one face gets its landmarks.
    Others get the box of landmarks that follows from the head's: a rule fitted to the sure ones and printed. What
    nobody could tell is ignored. What was found where no head is becomes a place to learn from ("negatives").
crops: the faces of a published SPIGA JSON become scenes of one face each; landmarks that were not annotated are null.

Pictures are named by absolute paths.
"""
import argparse
import json
import math
import pathlib
import zlib

from add_found_faces import SURE_ERROR, SURE_SCORE, overlap, tight_box

SAME_HEAD = 0.35      # a find's overlap with the head's box, from which they are one face
NEGATIVE_SCORE = -1   # finds from here on, that meet no head, are places to learn from
NEGATIVE_FREE = 0.02  # ... that overlap no head by more


def name_of(scene):
    return pathlib.PurePath(scene["imgpath"]).name


def absolute(scene, folder):
    return {**scene, "imgpath": str((folder / scene["imgpath"]).resolve())}


def write(path, scenes):
    path.write_text(json.dumps(scenes))


def split(options):
    scenes = json.loads(options.annotations.read_text())
    folder = options.annotations.parent
    if options.rule:
        divisor, remainder = map(int, options.rule.split(":"))
        names = sorted(n for n in map(name_of, scenes) if zlib.crc32(n.encode()) % divisor == remainder)
        options.held_out.write_text("\n".join(names) + "\n")
    held_out = set(options.held_out.read_text().split())
    parts = {True: [], False: []}
    for scene in scenes:
        parts[name_of(scene) in held_out].append(absolute(scene, folder))
    for path, part in ((options.train, parts[False]), (options.valid, parts[True])):
        write(path, part)
        print(f"{path}: {len(part)} pictures")


def line_through(xs, ys):
    """Intercept and slope of least squares, and the root mean square of what is left."""
    count, mean_x, mean_y = len(xs), sum(xs) / len(xs), sum(ys) / len(ys)
    square = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / square if square > 0 else 0.0
    intercept = mean_y - slope * mean_x
    rest = sum((intercept + slope * x - y) ** 2 for x, y in zip(xs, ys))
    return intercept, slope, math.sqrt(rest / count)


def offsets(head, box):
    """Of a landmark box in its head's: centre in the head's width and height, logarithms of the sizes' ratios."""
    return ((box[0] + box[2] / 2 - head[0] - head[2] / 2) / head[2],
            (box[1] + box[3] / 2 - head[1] - head[3] / 2) / head[3],
            math.log(box[2] / head[2]), math.log(box[3] / head[3]))


class HeadRule:
    """Landmark boxes from boxes of heads, linear in the logarithm of width by height, fitted to pairs of both."""

    NAMES = ("centre x", "centre y", "log width", "log height")

    def __init__(self, pairs):
        shapes = [math.log(head[2] / head[3]) for head, _ in pairs]
        values = [offsets(head, box) for head, box in pairs]
        self.lines = [line_through(shapes, [v[i] for v in values]) for i in range(4)]

    def __call__(self, head):
        shape = math.log(head[2] / head[3])
        x, y, width, height = (a + b * shape for a, b, _ in self.lines)
        width, height = head[2] * math.exp(width), head[3] * math.exp(height)
        return [head[0] + head[2] * (0.5 + x) - width / 2, head[1] + head[3] * (0.5 + y) - height / 2, width, height]

    def __str__(self):
        return "\n".join(f"{name:10} = {a:+.4f} {b:+.4f} log(width / height), error {rest:.4f}"
                         for name, (a, b, rest) in zip(self.NAMES, self.lines))


def error_of(face):
    return sum(face["uncertainty"]) / len(face["uncertainty"]) / max(face["box"][2:])


def is_sure(face):
    return (face["score"] >= SURE_SCORE and error_of(face) < SURE_ERROR
            and overlap(tight_box(face["landmarks"]), face["box"]) > 0.5)


def finds_by_head(heads, found):
    """The surest find of each head, and those that meet no head."""
    of_head, others = {}, []
    for face in sorted(found, key=lambda f: -f["score"]):
        overlaps = [overlap(face["box"], head) for head in heads]
        best = max(range(len(heads)), key=overlaps.__getitem__, default=None)
        if best is None or overlaps[best] < NEGATIVE_FREE:
            others.append(face)
        elif overlaps[best] >= SAME_HEAD:
            of_head.setdefault(best, face)
    return of_head, others


def faces(options):
    found = {}
    for line in options.found.read_text().splitlines():
        picture = json.loads(line)
        found[pathlib.PurePath(picture["source"]).name] = picture.get("faces", [])
    scenes = json.loads(options.annotations.read_text())
    judged, pairs = [], []
    for scene in scenes:
        of_head, others = finds_by_head(scene["boxes"], found.get(name_of(scene), []))
        sure = {i: face for i, face in of_head.items() if is_sure(face)}
        pairs += [(scene["boxes"][i], tight_box(face["landmarks"])) for i, face in sure.items()]
        judged.append((scene, sure, others))
    if not pairs:
        raise SystemExit(f"{options.found}: no sure face in a head's box of {options.annotations}")
    rule = HeadRule(pairs)
    print(f"landmark boxes of heads, from {len(pairs)} faces\n{rule}")
    print("mean overlap of the rule's boxes with the landmarks': "
          f"{sum(overlap(rule(head), box) for head, box in pairs) / len(pairs):.3f}")
    result, counts = [], [0, 0, 0]
    for scene, sure, others in judged:
        made = {"imgpath": scene["imgpath"], "faces": [], "ignored": list(scene.get("ignore", [])), "negatives": []}
        for i, (head, attributes) in enumerate(zip(scene["boxes"], scene["attributes"])):
            if attributes.get("invalid") or head[2] <= 0 or head[3] <= 0:
                made["ignored"].append(head)
            elif i in sure:
                made["faces"].append({"landmarks": sure[i]["landmarks"]})
                counts[0] += 1
            else:
                made["faces"].append({"box": rule(head)})
                counts[1] += 1
        made["negatives"] = [face["box"] for face in others if face["score"] >= NEGATIVE_SCORE]
        counts[2] += len(made["negatives"])
        result.append(absolute(made, options.annotations.parent))
    write(options.output, result)
    print(f"{options.output}: {len(result)} pictures, {counts[0]} faces with landmarks, {counts[1]} with boxes alone, "
          f"{counts[2]} negatives")


def crops(options):
    records = json.loads(options.annotations.read_text())
    order = next((r["ids"] for r in records if len(r["ids"]) == 68), None)
    if order is None:
        raise SystemExit(f"{options.annotations}: ids: expected a face with all 68 landmarks, found none")
    scenes = []
    for record in records:
        known = dict(zip(record["ids"], record["landmarks"]))
        scenes.append(absolute({"imgpath": record["imgpath"], "faces": [{"landmarks": [known.get(i) for i in order]}]},
                               options.annotations.parent))
    write(options.output, scenes)
    print(f"{options.output}: {len(scenes)} pictures")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    path = pathlib.Path

    def command(name, action):
        added = commands.add_parser(name)
        added.set_defaults(action=action)
        added.add_argument("annotations", type=path)
        return added

    one = command("split", split)
    one.add_argument("--held-out", type=path, required=True, help="file names of the pictures held back, one a line")
    one.add_argument("--rule", help="N:R writes that file first: CRC-32 of the name modulo N is R")
    one.add_argument("--train", type=path, required=True)
    one.add_argument("--valid", type=path, required=True)
    one = command("faces", faces)
    one.add_argument("found", type=path, help="JSON lines of spiga analyze on the same pictures")
    one.add_argument("-o", "--output", type=path, required=True)
    one = command("crops", crops)
    one.add_argument("-o", "--output", type=path, required=True)
    options = parser.parse_args()
    options.action(options)


if __name__ == "__main__":
    main()
