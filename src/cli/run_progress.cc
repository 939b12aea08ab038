// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/run_progress.h"

#include <algorithm>
#include <cstdio>

#include "base/numbers.h"
#include "base/text.h"
#include "cli/exit_status.h"

namespace spiga::cli {

RunProgress::RunProgress(bool asked, std::optional<std::size_t> inputs, std::uintmax_t bytes)
    : asked_(asked), inputs_(inputs), bytes_(static_cast<double>(bytes)) {}

void RunProgress::advance(double bytes) {
  const std::lock_guard lock(mutex_);
  bytes_done_ += bytes;
  ++frames_;
  show();
}

void RunProgress::finish_input(double bytes, bool skipped) {
  const std::lock_guard lock(mutex_);
  ++inputs_done_;
  if (skipped) {
    bytes_ -= bytes;
  } else {
    bytes_done_ += bytes;
  }
  show();
}

void RunProgress::tell(const std::string& line) {
  const std::lock_guard lock(mutex_);
  line_.wipe();
  print_error(line.c_str());
}

void RunProgress::wipe() {
  const std::lock_guard lock(mutex_);
  line_.wipe();
}

std::string RunProgress::text() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string text = base::concat(inputs_done_, inputs_ ? base::concat('/', *inputs_) : "", " inputs");
  if (inputs_ && bytes_ > 0) {
    const double share = std::clamp(bytes_done_ / bytes_, 0.0, 1.0);
    text += base::concat("  ", base::fixed(100 * share, 0), " %  ",
                         base::fixed(static_cast<double>(frames_) / seconds, 1), " frames/s");
    if (share > 0) text += base::concat("  ", base::duration_text(seconds * (1 - share) / share), " left");
  }
  return text;
}

void RunProgress::show() {
  const bool plain = asked_ && !line_.enabled();
  if (!plain && !line_.enabled()) return;
  const Clock::time_point now = Clock::now();
  if (now - last_ < (plain ? std::chrono::milliseconds(10'000) : std::chrono::milliseconds(100))) return;
  last_ = now;
  if (plain) {
    std::fputs((text() + "\n").c_str(), stderr);
  } else {
    line_.show(text());
  }
}

}  // namespace spiga::cli
