#!/usr/bin/python3
"""Makes models/head.safetensors of ICT-FaceKit's morphable head: trimmed, turned, quantised.

usage: make_head_model.py ICT_FACE.safetensors OUT.safetensors        (NumPy; Debian's python3-numpy)

ICT_FACE holds neutral [V, 3], identity [100, V, 3] (of one standard deviation each) and expression [55, V, 3] in
centimetres, x to the subject's left, y up, z to the front, triangles, landmarks68_outer_jaw.

OUT, in millimetres, x to the picture's right, y down, z away from the camera, origin in the mean head's nose tip. The head is
nodded so that it stands as the 3-D mean face of data/markup_68.txt does: angles of both mean the same.
  neutral              F32 [V, 3]
  identity             I8  [M, V, 3] times identity_scale F32 [M]: modes turned so that each next one explains most of what is
                       left of the landmarks' variance; what no landmark sees is left out. Coefficients stay standard normal.
  expression           I16 [E, V, 3] times expression_scale F32 [E]; names in the metadata, without those of the eyeballs
  triangles            I16 [T, 3]
  landmarks            I16 [51]: vertices of landmarks 18 to 68 of the 300-W mark-up
  contour              I16 [17, C]: for each of the landmarks 1 to 17 the vertices from the jaw's outer edge to the front of the
                       cheek among which the visible outline is looked for
"""
import json
import os
import struct
import sys

import numpy as np

MARKUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../data/markup_68.txt')
MODES = 32
SLIDE = 12          # vertices of a contour landmark's path
BACK_CM, NECK_CM = 0.5, -10.5   # what lies behind or below is left out
INPUT_TYPES = {'F16': '<f2', 'F32': '<f4', 'U16': '<u2', 'I16': '<i2', 'I32': '<i4'}
OUTPUT_TYPES = {'float32': 'F32', 'int16': 'I16', 'int8': 'I8'}


def read(path):
    raw = open(path, 'rb').read()
    size, = struct.unpack('<Q', raw[:8])
    header = json.loads(raw[8:8 + size])
    metadata = header.pop('__metadata__')
    arrays = {}
    for name, d in header.items():
        begin, end = d['data_offsets']
        a = np.frombuffer(raw[8 + size + begin:8 + size + end], INPUT_TYPES[d['dtype']]).reshape(d['shape'])
        arrays[name] = a.astype(np.float64 if a.dtype.kind == 'f' else np.int64)
    return arrays, metadata


def write(path, arrays, metadata):
    header, data = {'__metadata__': metadata}, b''
    for name, a in arrays.items():
        piece = a.tobytes()
        header[name] = {'dtype': OUTPUT_TYPES[a.dtype.name], 'shape': list(a.shape), 'data_offsets': [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    open(path, 'wb').write(struct.pack('<Q', len(text)) + text + data)


def slide_paths(points, starts):
    """For each contour landmark SLIDE vertices, from its own to the front of the face: directions seen from the head's inside."""
    centre = np.array([0, -0.5, 4.0])
    away = points - centre
    unit = away / np.linalg.norm(away, axis=1, keepdims=True)
    paths = []
    for s in starts:
        a = unit[s]
        target = np.array([0.25 * a[0], 0.3 * a[1], 1.0])   # the front, a little to the landmark's side
        b = target / np.linalg.norm(target)
        angle = np.arccos(a @ b)
        path = [s]
        for share in np.linspace(0, 0.72, 60)[1:]:
            d = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
            near = np.flatnonzero(unit @ d > 0.9996)
            k = near[np.argmax(np.linalg.norm(away[near], axis=1))] if len(near) else np.argmax(unit @ d)
            if k not in path:
                path.append(int(k))
        pick = np.linspace(0, len(path) - 1, SLIDE).round().astype(int)
        paths.append([path[p] for p in pick])
    return np.array(paths)


def nod_to_mean_face(points):
    """The rotation about x that lays points [68, 3] best on the mean face: landmarks with ids 1 to 24, as for POSIT."""
    rows = [line.split() for line in open(MARKUP) if line.startswith('point ')]
    mean = np.array([[float(x) for x in r[4:7]] for r in rows]) * [1, -1, -1]     # X to the right, Y up, Z to the front
    chosen = [k for k, r in enumerate(rows) if int(r[2]) <= 24]
    a, b = (p[chosen][:, 1:] - p[chosen][:, 1:].mean(0) for p in (points, mean))
    angle = np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum())
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def quantise(values, dtype):
    most = np.iinfo(dtype).max
    scale = np.maximum(np.abs(values).max((1, 2)), 1e-9) / most
    return np.rint(values / scale[:, None, None]).astype(dtype), scale.astype(np.float32)


def main():
    arrays, metadata = read(sys.argv[1])
    names = json.loads(metadata['expressions'])
    keep = [i for i, n in enumerate(names) if not n.startswith('eyeLook')]
    landmarks, neutral = arrays['landmarks68_outer_jaw'], arrays['neutral']
    contour = slide_paths(neutral, landmarks[:17])
    seen = np.unique(np.r_[landmarks[17:], contour.reshape(-1)])
    flat = arrays['identity'][:, seen].reshape(len(arrays['identity']), -1)
    turn = np.linalg.svd(flat, full_matrices=False)[0].T[:MODES]       # [M, 100], orthonormal rows
    identity = np.tensordot(turn, arrays['identity'], 1)

    wanted = (neutral[:, 2] > BACK_CM) & (neutral[:, 1] > NECK_CM)
    triangles = arrays['triangles']
    triangles = triangles[wanted[triangles].all(1)]
    used = np.unique(np.r_[triangles.reshape(-1), seen])
    number = np.full(len(neutral), -1)
    number[used] = np.arange(len(used))
    flip = 10 * np.diag([1.0, -1.0, -1.0])
    to_ours = flip @ nod_to_mean_face(neutral[landmarks] @ flip).T
    modes, mode_scale = quantise(identity[:, used] @ to_ours, np.int8)
    shapes, shape_scale = quantise(arrays['expression'][keep][:, used] @ to_ours, np.int16)
    out = dict(
        neutral=((neutral - neutral[landmarks[30]])[used] @ to_ours).astype(np.float32),
        identity_scale=mode_scale, expression_scale=shape_scale, expression=shapes,
        triangles=number[triangles].astype(np.int16), landmarks=number[landmarks[17:]].astype(np.int16),
        contour=number[contour].astype(np.int16), identity=modes)
    write(sys.argv[2], out, {
        'expressions': json.dumps([names[i] for i in keep]), 'format': 'spiga head 1', 'unit': 'mm',
        'axes': "x to the picture's right, y down, z away from the camera; origin in the mean head's nose tip",
        'source': 'ICT-FaceKit (MIT, LICENSE.ict-facekit-mit.txt)'})
    left = (np.linalg.svd(flat, compute_uv=False)[MODES:] ** 2).sum() / len(seen)
    print(f'{len(used)} vertices, {len(triangles)} triangles; landmarks lose {10 * left ** 0.5:.2f} mm (rms) of identity')


main()
