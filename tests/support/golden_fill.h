// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace spiga::testing {

// The weights that the golden vectors were made with: values follow from a tensor's name and shape alone
// (FNV-1a of the name, then SplitMix64 of the element's index), so that any language can make them again.
// Computed in float64, given as float32, row-major. Constants (theta_S, edge2point, ...) are not covered.
std::vector<float> fill_tensor(std::string_view name, const std::vector<std::int64_t>& shape);

// The picture that they were made with: [3, 256, 256], fed to the network as it is.
std::vector<float> golden_image();

}  // namespace spiga::testing
