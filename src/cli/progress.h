// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace spiga::cli {

// One line on stderr that says how far long work has come: "120/1787 pictures  14.2/s  2:05 left". Shown only
// where stderr is a terminal, at most ten times a second, and wiped away at the end. One thread at a time.
class Progress {
 public:
  // `unit` as in "pictures"; without a total, neither it nor the time left is shown.
  explicit Progress(std::string unit, std::optional<std::size_t> total = std::nullopt);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { wipe(); }

  void advance(std::size_t done);
  // Error and other lines go through here, so that they do not land behind the progress.
  void wipe();

 private:
  using Clock = std::chrono::steady_clock;

  std::string unit_;
  std::optional<std::size_t> total_;
  bool enabled_;
  bool shown_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

// "0:07", "12:34", "1:02:03"
std::string duration_text(double seconds);

}  // namespace spiga::cli
