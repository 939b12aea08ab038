// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga {

// The arithmetic of the network's convolutions and matrix products.
enum class Precision {
  automatic,  // bf16 where the processor computes it natively, f32 elsewhere
  f32,
  bf16,
};

}  // namespace spiga
