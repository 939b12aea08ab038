// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace spiga::cli {

Progress::Progress(std::string unit, std::optional<std::size_t> total)
    : unit_(std::move(unit)), total_(total), enabled_(isatty(STDERR_FILENO) == 1) {}

void Progress::advance(std::size_t done) {
  const Clock::time_point now = Clock::now();
  if (!enabled_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done) / seconds;
  std::string total, left;
  if (total_) total.append("/").append(std::to_string(*total_));
  if (total_ && done > 0 && done <= *total_)
    left.append("  ").append(duration_text(static_cast<double>(*total_ - done) / rate)).append(" left");
  std::fprintf(stderr, "\r%zu%s %s  %.1f/s%s\x1b[K", done, total.c_str(), unit_.c_str(), rate, left.c_str());
}

void Progress::wipe() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

std::string duration_text(double seconds) {
  const auto total = static_cast<long>(seconds + 0.5);
  char text[48];
  if (total < 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld", total / 60, total % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60);
  }
  return text;
}

}  // namespace spiga::cli
