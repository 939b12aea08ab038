// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// Compiled with the AVX-512 flags of CMakeLists.txt, called only where the machine has them.
#define SPIGA_KERNELS_TABLE kAvx512Table
#include "train/kernels.inc"
