// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "cli/progress.h"

namespace spiga::cli {

// How far a run over many inputs has come: "12/30 inputs  38 %  61.2 frames/s  1:05 left". Work is measured
// in bytes of inputs. A status line on a terminal; elsewhere, where asked for, a line every ten seconds. Safe
// from any thread.
class RunProgress {
 public:
  // Without a total, neither it nor the time left is shown.
  RunProgress(bool asked, std::optional<std::size_t> inputs, std::uintmax_t bytes);

  // A frame (or picture) is done, and with it so many bytes' worth of work.
  void advance(double bytes);
  // An input is done; `bytes`: of its work what advance() has not told of. Where `skipped`, it was no work.
  void finish_input(double bytes, bool skipped);
  // A line of its own on standard error.
  void tell(const std::string& line);
  void wipe();

 private:
  using Clock = std::chrono::steady_clock;
  void show();
  std::string text() const;

  std::mutex mutex_;
  bool asked_;
  std::optional<std::size_t> inputs_;
  double bytes_, bytes_done_ = 0;
  std::size_t inputs_done_ = 0;
  std::int64_t frames_ = 0;
  StatusLine line_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

}  // namespace spiga::cli
