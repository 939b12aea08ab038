#!/usr/bin/env python3
"""Averages the weights of two model files of one network (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).

    scripts/average_models.py FIRST SECOND SHARE OUTPUT

Every tensor of OUTPUT is (1 - SHARE) times FIRST's plus SHARE times SECOND's; metadata and number formats are SECOND's. Useful
where SECOND was trained on from FIRST on other data; `spiga calibrate` should follow.
"""
import json
import os
import struct
import sys

import numpy as np

FORMATS = {"F16": np.float16, "F32": np.float32}


def read(path):
    """Header and data of a safetensors file."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        return json.loads(file.read(length)), file.read()


def numbers(path, header, data, name):
    tensor = header.get(name)
    if tensor is None or tensor["dtype"] not in FORMATS:
        sys.exit(f"{path}: {name}: expected a tensor in F16 or F32, found {tensor and tensor['dtype']}")
    return np.frombuffer(data[slice(*tensor["data_offsets"])], FORMATS[tensor["dtype"]]).astype(np.float32)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    first, second, share, output = sys.argv[1:3] + [float(sys.argv[3]), sys.argv[4]]
    (first_header, first_data), (header, data) = read(first), read(second)
    mean = bytearray(data)
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        if first_header.get(name, {}).get("shape") != tensor["shape"]:
            sys.exit(f"{first}: {name}: expected shape {tensor['shape']}, found {first_header.get(name, {}).get('shape')}")
        value = (1 - share) * numbers(first, first_header, first_data, name) + share * numbers(second, header, data, name)
        mean[slice(*tensor["data_offsets"])] = value.astype(FORMATS[tensor["dtype"]]).tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(output + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + mean)
    os.replace(output + ".part", output)


if __name__ == "__main__":
    main()
