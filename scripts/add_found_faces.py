#!/usr/bin/env python3
"""Takes what a detector found on training scenes into their annotations (self-training).

    spiga analyze --min-score -0.8 -o found.jsonl scenes/images
    scripts/add_found_faces.py scenes/train.json found.jsonl --scenes scenes/train2.json --ignore ignore.jsonl
    spiga pack --scenes scenes/train2.json --ignore ignore.jsonl -o runs/data/scenes-train.pack

A found face that meets no annotated one becomes a face with its landmarks where the detector is sure and the
landmark network, by its expected error, is too; it is to be ignored in training where one of the two may be
right; it stays background where both say no. Expected errors are in sides of the face's box.
"""
import argparse
import json
import os

SURE_SCORE, SURE_ERROR = 0, 0.05  # a face
UNSURE_ERROR = 0.12               # perhaps a face, whatever the detector says
NO_FACE_ERROR = 0.7               # no face, whatever the detector says


def overlap(a, b):
    """Intersection over union of boxes [x, y, width, height]."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0, width) * max(0, height)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def tight_box(landmarks):
    xs, ys = zip(*landmarks)
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def sort_found(boxes, found):
    """Faces to add and faces to ignore, of those that meet no box."""
    faces, ignored = [], []
    for face in sorted(found, key=lambda f: -f["score"]):
        if any(overlap(face["box"], box) >= 0.4 for box in boxes):
            continue
        error = sum(face["uncertainty"]) / len(face["uncertainty"]) / max(face["box"][2:])
        box = tight_box(face["landmarks"])
        if face["score"] >= SURE_SCORE and error < SURE_ERROR and overlap(box, face["box"]) > 0.5:
            faces.append({"bbox": box, "landmarks": face["landmarks"]})
            boxes = boxes + [box]
        elif error < UNSURE_ERROR or (face["score"] >= SURE_SCORE and error < NO_FACE_ERROR):
            ignored.append(face)
    return faces, ignored


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", help="scenes: a list of {imgpath, faces: [{bbox, landmarks}]}")
    parser.add_argument("found", help="JSON lines of spiga analyze on the same pictures")
    parser.add_argument("--scenes", required=True, help="annotations to write; elsewhere than beside the pictures they name absolute paths")
    parser.add_argument("--ignore", required=True, help="JSON lines to write, for spiga pack --ignore")
    options = parser.parse_args()
    folder = os.path.dirname(options.annotations)
    elsewhere = os.path.realpath(os.path.dirname(options.scenes)) != os.path.realpath(folder)
    with open(options.found) as lines:
        found = {os.path.realpath(picture["source"]): picture for picture in map(json.loads, lines)}
    with open(options.annotations) as file:
        scenes = json.load(file)
    added = ignored_count = 0
    with open(options.ignore, "w") as ignore:
        for scene in scenes:
            path = os.path.realpath(os.path.join(folder, scene["imgpath"]))
            if elsewhere:
                scene["imgpath"] = path
            picture = found.get(path)
            if picture is None:
                continue
            faces, ignored = sort_found([face["bbox"] for face in scene["faces"]], picture["faces"])
            scene["faces"] += faces
            ignore.write(json.dumps({**picture, "faces": ignored}) + "\n")
            added += len(faces)
            ignored_count += len(ignored)
    with open(options.scenes, "w") as file:
        json.dump(scenes, file)
    print(f"{options.scenes}: {len(scenes)} scenes, {added} faces added, {ignored_count} to be ignored")


if __name__ == "__main__":
    main()
