// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string_view>
#include <vector>

// Figures that the literature gives for the databases' test sets, to stand beside ours.
namespace spiga::eval {

struct PublishedResult {
  std::string_view database;
  std::string_view set;     // "full" or a subset
  std::string_view method;  // with the year
  double nme = 0;           // per cent, with the database's first norm
  std::optional<double> auc = {};
  std::optional<double> failure_rate = {};
  std::optional<double> pose_deg = {};  // mean absolute error of yaw, pitch and roll
};

// In the order of the methods' years; may be empty.
std::vector<PublishedResult> published_results(std::string_view database);

// How many faces the published test list has; the database's subsets are indices into that list.
std::size_t published_test_size(std::string_view database);

}  // namespace spiga::eval
