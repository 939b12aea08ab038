// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace spiga::cli {

// The last line of stderr where that is a terminal: written over by the next one, wiped away at the end.
// Elsewhere it shows nothing. One thread at a time.
class StatusLine {
 public:
  StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  ~StatusLine() { wipe(); }

  bool enabled() const { return enabled_; }
  void show(const std::string& text);
  // To be called before error and other lines, so that they do not land behind it.
  void wipe();

 private:
  bool enabled_;
  bool shown_ = false;
};

// How far long work has come, as a status line: "120/1787 pictures  14.2/s  2:05 left", at most ten times a
// second. One thread at a time.
class Progress {
 public:
  // `unit` as in "pictures"; without a total, neither it nor the time left is shown.
  explicit Progress(std::string unit, std::optional<std::size_t> total = std::nullopt);

  void advance(std::size_t done);
  void wipe() { line_.wipe(); }

 private:
  using Clock = std::chrono::steady_clock;

  std::string unit_;
  std::optional<std::size_t> total_;
  StatusLine line_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

}  // namespace spiga::cli
