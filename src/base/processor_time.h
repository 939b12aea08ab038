// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ctime>

namespace spiga::base {

inline double seconds_of_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Processor time that the process has taken, in all its threads.
inline double process_seconds() { return seconds_of_clock(CLOCK_PROCESS_CPUTIME_ID); }

// Processor time that an action takes in the calling thread.
template <typename Action>
double processor_seconds(const Action& action) {
  const double begin = seconds_of_clock(CLOCK_THREAD_CPUTIME_ID);
  action();
  return seconds_of_clock(CLOCK_THREAD_CPUTIME_ID) - begin;
}

}  // namespace spiga::base
