// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "engine/data_type.h"

namespace spiga::engine {

// Whether bf16 convolutions run here at all.
bool supports(DataType type);

// What `automatic` stands for: bf16 where the processor multiplies it natively (AMX, or AVX-512's bf16
// products), f32 elsewhere. A rule, not a measurement: a busy machine says the same as an idle one.
DataType faster_type();

// Multiply-adds per second that this machine reaches: the best of a large convolution and a large matrix
// product, over some tens of milliseconds.
double measured_peak(DataType type, int threads);

}  // namespace spiga::engine
