// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/comparison.h"

namespace spiga::eval {

// Rows of cells as text, columns as wide as their widest cell; the first to the left, the others to the
// right.
std::string align_columns(const std::vector<std::vector<std::string>>& rows);

// The figures of a method for a terminal: counts, sets, head pose, uncertainty, notes.
std::string text_report(const Method& method);

// The methods side by side, with the differences' confidence intervals.
std::string text_comparison(std::span<const Method> methods, std::span<const Difference> differences);

// Every figure of every method, per set, subset, landmark and angle, and the differences, as one JSON object
// (docs/benchmark.md lists its keys); figures that do not exist are null.
std::string json_report(std::span<const Method> methods, std::span<const Difference> differences);

}  // namespace spiga::eval
