// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>

#include "fuzz/targets.h"

// SPIGA_FUZZ_TARGET is one of the functions of targets.h.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spiga::fuzz::SPIGA_FUZZ_TARGET({data, size});
  return 0;
}
