// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/face_order.h"

#include <numeric>
#include <utility>

#include "train/random.h"

namespace spiga::train {

FaceOrder::FaceOrder(std::int64_t faces, std::uint64_t seed)
    : seed_(seed), order_(static_cast<std::size_t>(faces)) {}

std::vector<std::int64_t> FaceOrder::take(std::int64_t begin, std::int64_t count) {
  const auto faces = static_cast<std::int64_t>(order_.size());
  std::vector<std::int64_t> taken;
  for (std::int64_t place = begin; place < begin + count; ++place) {
    if (place / faces != epoch_) shuffle(place / faces);
    taken.push_back(order_[static_cast<std::size_t>(place % faces)]);
  }
  return taken;
}

// Fisher and Yates.
void FaceOrder::shuffle(std::int64_t epoch) {
  epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  std::uint64_t state = mix(seed_, static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order_.size(); i > 1; --i) {
    state = mix(state, i);
    std::swap(order_[i - 1], order_[state % i]);
  }
}

}  // namespace spiga::train
