// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <omp.h>

#include <cstdint>

namespace spiga::engine {

// OpenMP's number of threads for the calling thread, and denormals flushed to zero in all of them (a
// convolution over denormals takes a hundred times its time). The destructor restores both.
class ThreadScope {
 public:
  // 0: OpenMP's default.
  explicit ThreadScope(int threads);
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;
  ~ThreadScope();

  int threads() const { return threads_; }

 private:
  void set_control(unsigned control) const;

  int previous_threads_;
  int threads_;
  unsigned previous_control_;
};

// Calls part(begin, end) on consecutive parts of [0, count), one per thread, none smaller than `grain` but
// the last. Which thread computes an element depends on nothing but the arguments.
template <typename Part>
void parallel_for(int threads, std::int64_t count, std::int64_t grain, const Part& part) {
  const std::int64_t useful = (count + grain - 1) / grain;
  const int used = static_cast<int>(useful < threads ? useful : threads);
  if (used <= 1) {
    if (count > 0) part(std::int64_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(used)
  {
    const std::int64_t team = omp_get_num_threads();
    const std::int64_t index = omp_get_thread_num();
    const std::int64_t begin = count * index / team;
    const std::int64_t end = count * (index + 1) / team;
    if (begin < end) part(begin, end);
  }
}

}  // namespace spiga::engine
