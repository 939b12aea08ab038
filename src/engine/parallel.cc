// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/parallel.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace spiga::engine {
namespace {

#if defined(__x86_64__)
constexpr unsigned kFlushDenormals = 0x8040;  // flush-to-zero of results, denormals-are-zero of operands
unsigned read_control() { return _mm_getcsr(); }
void write_control(unsigned control) { _mm_setcsr(control); }
#else
constexpr unsigned kFlushDenormals = 0;
unsigned read_control() { return 0; }
void write_control(unsigned) {}
#endif

}  // namespace

ThreadScope::ThreadScope(int threads)
    : previous_threads_(omp_get_max_threads()),
      threads_(threads > 0 ? threads : previous_threads_),
      previous_control_(read_control()) {
  omp_set_num_threads(threads_);
  set_control(previous_control_ | kFlushDenormals);
}

ThreadScope::~ThreadScope() {
  set_control(previous_control_);
  omp_set_num_threads(previous_threads_);
}

void ThreadScope::set_control(unsigned control) const {
  if (threads_ == 1) {
    write_control(control);
    return;
  }
#pragma omp parallel num_threads(threads_)
  write_control(control);
}

}  // namespace spiga::engine
