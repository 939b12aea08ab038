// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/process.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace spiga::train {

void prepare_process() {
#ifdef __GLIBC__
  // The largest that mallopt takes; larger blocks than M_MMAP_THRESHOLD's limit still come by mmap.
  constexpr int kLargeBlock = 32 << 20, kKeep = 2000 << 20, kGrow = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  mallopt(M_TRIM_THRESHOLD, kKeep);
  mallopt(M_TOP_PAD, kGrow);
#endif
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    setenv("ATEN_CPU_CAPABILITY", "avx512", /*overwrite=*/0);
#endif
  at::globalContext().setFlushDenormal(true);
}

void set_threads(int count) {
  at::set_num_threads(count);
  // It starts as many as there are cores and does not hear of LibTorch's number; waiting, they spin.
  using Set = void (*)(int);
  if (const auto set = reinterpret_cast<Set>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(count);
}

}  // namespace spiga::train
