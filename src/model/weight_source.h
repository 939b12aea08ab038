// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace spiga::model {

// Where a network's tensors come from: a model file, or values made up by a test or a benchmark.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  // The tensor as float32, row-major. Throws Error(bad_data) naming source and tensor where it is missing,
  // has another shape or holds a value that is not finite. May be asked for a tensor more than once.
  virtual std::vector<float> read(std::string_view name, const std::vector<std::int64_t>& shape) = 0;
};

}  // namespace spiga::model
