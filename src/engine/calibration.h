// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "engine/data_type.h"

namespace spiga::engine {

// Whether convolutions over this type run here: bf16 with AVX-512; 8 bits with VNNI, without which sums of
// two products overflow.
bool supports(DataType type);

// What `automatic` stands for: bf16 where the processor multiplies it natively (AMX, or AVX-512's bf16
// products), f32 elsewhere. A rule, not a measurement: a busy machine says the same as an idle one.
DataType faster_type();

// Whether 8 bits are faster here than faster_type(): a rule, from measurements (docs/engine.md). VNNI makes
// the default network twice as fast; on AMX what its convolutions gain is lost around them.
bool prefers_8_bit();

// Multiply-adds per second that this machine reaches: the best of a large convolution and a large matrix
// product, over some tens of milliseconds.
double measured_peak(DataType type, int threads);

}  // namespace spiga::engine
