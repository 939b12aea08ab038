// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

namespace spiga::vision {

// The assignment of rows to columns with the smallest sum of costs (the Hungarian method, by shortest
// augmenting paths: Jonker and Volgenant, 1987; O(rows^2 columns)). `costs` is [rows, columns], finite, may
// be negative. Result [rows]: the row's column, or -1 for the rows that are left over where there are more
// rows than columns. Throws Error(invalid_argument) where costs has another size or a cost is not finite.
std::vector<int> assign(std::span<const double> costs, int rows, int columns);

}  // namespace spiga::vision
