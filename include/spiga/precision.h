// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga {

// The arithmetic of the network's convolutions and matrix products.
enum class Precision {
  automatic,  // int8 where the model file has scales for it and the processor has VNNI and no AMX; else bf16
              // where the processor computes it natively, f32 elsewhere
  f32,
  bf16,
  int8,  // convolutions over 8 bits, the rest in bf16 or f32; needs a model file with scales
};

// As options and results spell it.
constexpr const char* name_of(Precision precision) {
  constexpr const char* kNames[] = {"automatic", "f32", "bf16", "int8"};
  return kNames[static_cast<int>(precision)];
}

}  // namespace spiga
