// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace spiga::serve {

// Counts answers; safe from many threads.
class Metrics {
 public:
  void count(int status, double seconds);
  // Prometheus text of the requests.
  void append(std::string& out) const;

 private:
  static constexpr std::array<double, 9> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};

  mutable std::mutex mutex_;
  std::map<int, std::uint64_t> by_status_;
  std::array<std::uint64_t, kBounds.size()> within_ = {};
  std::uint64_t requests_ = 0;
  double seconds_ = 0;
};

// "# HELP", "# TYPE" and the value.
void append_metric(std::string& out, const char* name, const char* type, const char* help,
                   std::uint64_t value);

}  // namespace spiga::serve
