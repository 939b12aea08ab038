# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a PyTorch checkpoint of golden weights: make_checkpoint.py LIST OUTPUT.

LIST has a line per tensor, "name|2,3|float32" with, for constants, "|values" behind. Other values follow the same
rule as golden_fill.cc, written a second time here so that the two can be held against each other.
"""
import collections
import sys

import numpy
import torch


def fnv1a(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def uniform(name, count):
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(fnv1a(name)) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53


def fill(name, shape):
    u = uniform(name, int(numpy.prod(shape, dtype=numpy.int64)))
    if name == "pose_fc.bias":
        return numpy.array([12, -7, 4, -0.10, 0.05, 2.8])
    if name.endswith(".running_var"):
        return 0.5 + u
    if name.endswith(".running_mean"):
        return 0.2 * (u - 0.5)
    if len(shape) < 2:
        return 0.8 + 0.4 * u if name.endswith("weight") else 0.1 * (u - 0.5)
    fan_in = shape[0] if "deconv" in name else len(u) // shape[0]
    values = (2 * u - 1) * numpy.sqrt(3 / fan_in)
    if name == "pose_fc.weight" or name.endswith("decoder.decoder.12.weight"):
        values = values * 0.1
    elif ".attn.proj." in name:
        values = values * 0.25
    return values


def main():
    state = collections.OrderedDict()
    for line in open(sys.argv[1]):
        name, sizes, dtype, *values = line.rstrip("\n").split("|")
        shape = [int(size) for size in sizes.split(",") if size]
        data = [float(value) for value in values[0].split(",")] if values else fill(name, shape)
        tensor = torch.tensor(numpy.asarray(data, dtype=numpy.float64)).to(getattr(torch, dtype))
        state[name] = tensor.reshape(shape)
    torch.save(state, sys.argv[2])


main()
