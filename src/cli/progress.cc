// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

#include "base/numbers.h"
#include "base/text.h"

namespace spiga::cli {

StatusLine::StatusLine() : enabled_(isatty(STDERR_FILENO) == 1) {}

void StatusLine::show(const std::string& text) {
  if (!enabled_) return;
  shown_ = true;
  std::fputs(("\r" + text + "\x1b[K").c_str(), stderr);
}

void StatusLine::wipe() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

Progress::Progress(std::string unit, std::optional<std::size_t> total)
    : unit_(std::move(unit)), total_(total) {}

void Progress::advance(std::size_t done) {
  const Clock::time_point now = Clock::now();
  if (!line_.enabled() || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  const double rate = static_cast<double>(done) / std::chrono::duration<double>(now - start_).count();
  const std::string total = total_ ? base::concat('/', *total_) : "";
  const bool timed = total_ && done > 0 && done <= *total_;
  const std::string left =
      timed ? base::concat("  ", base::duration_text(static_cast<double>(*total_ - done) / rate), " left")
            : "";
  line_.show(base::concat(done, total, ' ', unit_, "  ", base::fixed(rate, 1), "/s", left));
}

}  // namespace spiga::cli
