// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga::train {

// Settings of the whole process under which training is fast; to be called first thing in main, before any
// other thread and before LibTorch computes anything. Memory that is freed stays with the process instead of
// being asked for, page by page, at every step; LibTorch uses AVX-512 where this processor has it (Debian's
// stops at AVX2 unless told otherwise); denormal numbers are zero. What the user has set in the environment
// stays.
void prepare_process();

// How many threads this process computes with: LibTorch's, and OpenBLAS's own where it is what multiplies.
void set_threads(int count);

}  // namespace spiga::train
