// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#define SPIGA_KERNELS_TABLE kPortableTable
#include "train/kernels.inc"

namespace spiga::train::kernels {

#ifdef SPIGA_KERNELS_AVX512
extern const Table kAvx512Table;  // kernels_avx512.cc
#endif

const Table& portable() { return kPortableTable; }

const Table& best() {
#ifdef SPIGA_KERNELS_AVX512
  static const bool runs = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512bf16");
  if (runs) return kAvx512Table;
#endif
  return kPortableTable;
}

}  // namespace spiga::train::kernels
