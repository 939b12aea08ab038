#!/usr/bin/env python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""How well a linear estimate can tell expressions from 68 landmarks: a bound for docs/face3d.md.

Landmarks are linear in expressions, pose and identity near the truth. For normal noise the best linear estimate has the
covariance P = C - C A' (A C A' + N)^-1 A C (C: prior covariance, A: derivatives, N: noise), and its correlation with the
truth is sqrt(1 - p / c). C is taken from the tracks themselves (bench/face3d.cc makes them in the same way): the estimate
knows the camera, how expressions come and go, how left and right go together, and how the head moves, which no program
does. What it does not know is that expressions are never negative.

  scripts/face3d_limit.py [--tracks N] [--noise PIXELS] [--offsets MM] [--seed N]
"""
import argparse
import json
import pathlib
import struct

import numpy as np

FRAMES, RATE, FOCAL, DISTANCE = 60, 25, 1000.0, 1000.0
CONTOUR, LANDMARKS = 17, 68
POSE_SIGMA = (23.1, 11.5, 11.5, 115.0, 58.0, 40.0)  # degrees about x, y, z (generous), mm


def load_head(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        blob = file.read()

    def tensor(name):
        entry = header[name]
        begin, end = entry["data_offsets"]
        dtype = {"F32": np.float32, "I16": np.int16, "I8": np.int8}[entry["dtype"]]
        return np.frombuffer(blob[begin:end], dtype).reshape(entry["shape"]).astype(np.float64)

    names = json.loads(header["__metadata__"]["expressions"])
    vertices = np.concatenate([tensor("contour")[:, 0], tensor("landmarks")]).astype(int)
    expression = tensor("expression") * tensor("expression_scale")[:, None, None]
    identity = tensor("identity") * tensor("identity_scale")[:, None, None]
    return names, tensor("neutral")[vertices], expression[:, vertices], identity[:, vertices]


def draw_expression(names, rng, active):
    """Amounts of all expressions: what is active, and how strongly (Maker::expression of bench/face3d.cc)."""
    at = {name: k for k, name in enumerate(names)}
    amounts = np.zeros(len(names))
    for k, name in enumerate(names):
        if name.endswith("_R") or rng.random() >= active:
            continue
        amount = rng.random()
        if not name.endswith("_L"):
            amounts[k] = amount
            continue
        left, right = ((True, False), (False, True))[rng.integers(2)] if rng.random() < 0.2 else (True, True)
        if left:
            amounts[k] = np.clip(amount + 0.1 * rng.normal(), 0, 1)
        if right:
            amounts[at[name[:-1] + "R"]] = np.clip(amount + 0.1 * rng.normal(), 0, 1)
    for a, b in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"), ("eyeWide_L", "eyeBlink_L"),
                 ("eyeWide_R", "eyeBlink_R")):
        amounts[at[b] if amounts[at[a]] > amounts[at[b]] else at[a]] = 0
    amounts[at["mouthClose"]] = min(amounts[at["mouthClose"]], amounts[at["jawOpen"]])
    return amounts


def draw_track(names, rng):
    """[frames, expressions] that come and go (moving_expressions of bench/face3d.cc)."""
    track = np.zeros((FRAMES, len(names)))
    for _ in range(6):
        amounts = draw_expression(names, rng, 0.15)
        length, middle = RATE * rng.uniform(0.4, 1.4), rng.uniform(0, FRAMES)
        x = (np.arange(FRAMES) - middle) / length
        share = np.where(np.abs(x) < 0.5, 0.5 + 0.5 * np.cos(2 * np.pi * x), 0)
        track = np.maximum(track, share[:, None] * amounts)
    blink = int(rng.uniform(5, FRAMES - 5))
    for lid in ("eyeBlink_L", "eyeBlink_R"):
        track[blink:blink + 3, names.index(lid)] = (0.6, 1, 0.6)
    return track


def rotation(degrees):
    (cy, cp, cr), (sy, sp, sr) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
            @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]))


class Bound:
    def __init__(self, head, rng, noise, offsets):
        self.names, self.neutral, self.expression, self.identity = head
        self.rng, self.noise, self.offsets = rng, noise, offsets
        self.tracks = np.stack([draw_track(self.names, rng) for _ in range(3000)])
        self.per_frame = len(self.names) + 6
        self.lasting = FRAMES * self.per_frame  # where identity and offsets begin

    def derivatives(self):
        """A of one random track: rows per frame, contour landmarks across their outline only."""
        begin, end = (self.rng.uniform(-1, 1, 3) * (40, 20, 20) for _ in range(2))
        track, person = self.tracks[self.rng.integers(len(self.tracks))], self.rng.normal(size=len(self.identity))
        rows, shapes, modes = [], len(self.names), len(self.identity)
        for frame in range(FRAMES):
            turn = rotation(begin + (0.5 - 0.5 * np.cos(np.pi * frame / (FRAMES - 1))) * (end - begin))
            points = self.neutral + np.tensordot(person, self.identity, 1) + np.tensordot(track[frame], self.expression, 1)
            turned = points @ turn.T
            x, y, z = (turned + (0, 0, DISTANCE)).T
            project = np.zeros((LANDMARKS, 2, 3))
            project[:, 0, 0] = project[:, 1, 1] = FOCAL / z
            project[:, 0, 2], project[:, 1, 2] = -FOCAL * x / z**2, -FOCAL * y / z**2
            d = np.zeros((LANDMARKS, 2, self.lasting + modes + 2 * (LANDMARKS - CONTOUR)))
            own = frame * self.per_frame
            d[:, :, own:own + shapes] = np.einsum("pij,kpj->pik", project, self.expression @ turn.T)
            for axis, unit in enumerate(np.eye(3)):
                d[:, :, own + shapes + axis] = np.einsum("pij,pj->pi", project, np.cross(unit, turned)) * np.pi / 180
                d[:, :, own + shapes + 3 + axis] = project[:, :, axis]
            d[:, :, self.lasting:self.lasting + modes] = np.einsum("pij,kpj->pik", project, self.identity @ turn.T)
            for i in range(LANDMARKS - CONTOUR):
                for axis in range(2):
                    d[CONTOUR + i, axis, self.lasting + modes + 2 * i + axis] = 1
            place = FOCAL * np.stack([x / z, y / z], 1)
            for i in range(CONTOUR):
                along = place[min(i + 1, CONTOUR - 1)] - place[max(i - 1, 0)]
                across = np.array([-along[1], along[0]]) / np.hypot(*along)
                rows.append(across @ d[i])
            rows.append(d[CONTOUR:].reshape(-1, d.shape[2]))
        return np.vstack(rows).reshape(FRAMES, -1, self.lasting + modes + 2 * (LANDMARKS - CONTOUR))

    def prior(self, head_moves, person_known):
        """C. head_moves: 'as made' (from one random pose to another along the bench's curve) or 'smoothly' (half a second)."""
        size = self.lasting + len(self.identity) + 2 * (LANDMARKS - CONTOUR)
        covariance = np.zeros((size, size))
        centred = self.tracks - self.tracks.mean((0, 1))
        frames = np.arange(FRAMES)
        pairs = [(k, self.names.index(n[:-1] + "R")) for k, n in enumerate(self.names) if n.endswith("_L")]
        pairs.append((self.names.index("jawOpen"), self.names.index("mouthClose")))
        for k, other in [(k, k) for k in range(len(self.names))] + pairs:
            block = np.einsum("nf,ng->fg", centred[:, :, k], centred[:, :, other]) / len(centred)
            covariance[np.ix_(frames * self.per_frame + k, frames * self.per_frame + other)] = block
            covariance[np.ix_(frames * self.per_frame + other, frames * self.per_frame + k)] = block.T
        share = 0.5 - 0.5 * np.cos(np.pi * frames / (FRAMES - 1))
        if head_moves == "as made":
            course = np.outer(1 - share, 1 - share) + np.outer(share, share)
        else:
            course = np.exp(-0.5 * ((frames[:, None] - frames) / (0.5 * RATE))**2)
        for axis, sigma in enumerate(POSE_SIGMA):
            at = frames * self.per_frame + len(self.names) + axis
            covariance[np.ix_(at, at)] = course * sigma**2
        if not person_known:
            last = np.arange(self.lasting, size)
            covariance[last, last] = [1.0] * len(self.identity) + [self.offsets**2] * (2 * (LANDMARKS - CONTOUR))
        return covariance

    def functionals(self):
        """Blendshapes by name: columns of weights over one frame's parameters; browInnerUp and cheekPuff are means of both sides."""
        columns = {}
        for k, name in enumerate(self.names):
            stem = name[:-2] if name[-2] == "_" else name
            key, weight = (stem, 0.5) if stem in ("browInnerUp", "cheekPuff") else (name, 1.0)
            columns.setdefault(key, np.zeros(self.per_frame))[k] = weight
        return columns

    def correlations(self, count, head_moves, person_known, later_frames):
        covariance, columns = self.prior(head_moves, person_known), self.functionals()
        left = np.zeros(len(columns))
        asked = (15, 30, 45, 59)
        for _ in range(count):
            track = self.derivatives()
            for frame in asked:
                rows = (track if later_frames else track[:frame + 1]).reshape(-1, track.shape[2]) / self.noise
                weights = np.zeros((track.shape[2], len(columns)))
                weights[frame * self.per_frame:(frame + 1) * self.per_frame] = np.stack(list(columns.values()), 1)
                told = covariance @ weights
                seen = rows @ told
                gram = rows @ covariance @ rows.T + np.eye(len(rows))
                gain = np.einsum("ij,ij->j", seen, np.linalg.solve(gram, seen))
                left += 1 - gain / np.einsum("ij,ij->j", weights, told)
        return dict(zip(columns, np.sqrt(np.maximum(0, 1 - left / (count * len(asked))))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tracks", type=int, default=3)
    parser.add_argument("--noise", type=float, default=1.2)
    parser.add_argument("--offsets", type=float, default=0.55)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    head = load_head(pathlib.Path(__file__).resolve().parent.parent / "models" / "head.safetensors")
    shown = ("browInnerUp", "eyeBlink_L", "jawOpen", "mouthSmile_L")
    print("correlation of the best linear estimate with the truth; how many blendshapes exceed 0.80")
    for title, moves, known, later in (
            ("frames so far, head moves smoothly", "smoothly", False, False),
            ("all 60 frames, head moves smoothly", "smoothly", False, True),
            ("all 60 frames, the head's course known but for its ends", "as made", False, True),
            ("the same, and the person known", "as made", True, True)):
        bound = Bound(head, np.random.default_rng(options.seed), options.noise, options.offsets)
        found = bound.correlations(options.tracks, moves, known, later)
        figures = ", ".join(f"{name} {found[name]:.2f}" for name in shown)
        print(f"  {title}: {figures}; {sum(v > 0.8 for v in found.values())} of {len(found)}", flush=True)


if __name__ == "__main__":
    main()
