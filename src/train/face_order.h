// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

namespace spiga::train {

// The order in which a stage sees the faces: an endless sequence of permutations, one an epoch, each given by
// the seed and its number alone. So a resumed run goes on in the same order, and every process of a
// data-parallel run finds its share by itself.
class FaceOrder {
 public:
  FaceOrder(std::int64_t faces, std::uint64_t seed);

  // The `count` faces from place `begin` of the sequence on.
  std::vector<std::int64_t> take(std::int64_t begin, std::int64_t count);

 private:
  void shuffle(std::int64_t epoch);

  std::uint64_t seed_;
  std::int64_t epoch_ = -1;
  std::vector<std::int64_t> order_;
};

}  // namespace spiga::train
