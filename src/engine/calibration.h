// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "engine/data_type.h"

namespace spiga::engine {

// Whether bf16 convolutions run here at all.
bool supports(DataType type);

// What `automatic` stands for. bf16 where the processor has AMX; where it only has AVX-512's bf16 products,
// bf16 if a convolution is at least a quarter faster in it, measured once per process (some processors have
// the instructions, but not at a higher rate); f32 elsewhere.
DataType faster_type();

// Multiply-adds per second that this machine reaches: the best of a large convolution and a large matrix
// product, over some tens of milliseconds.
double measured_peak(DataType type, int threads);

}  // namespace spiga::engine
