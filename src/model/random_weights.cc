// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/random_weights.h"

#include <cmath>
#include <random>

namespace spiga::model {
namespace {

// FNV-1a: the same everywhere.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

}  // namespace

std::vector<float> RandomWeights::read(std::string_view name, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  if (name == "pose_fc.bias") return {0, 0, 0, 0, 0, 2.8F};  // a frontal face
  if (shape.size() < 2) {
    const bool one = name.ends_with("weight") || name.ends_with("running_var");
    return std::vector<float>(static_cast<std::size_t>(count), one ? 1.0F : 0.0F);
  }
  const auto inputs = static_cast<float>(count / shape[0]);
  std::minstd_rand generator(hash_of(name));
  const float bound = std::sqrt(3 / inputs);
  const float step = 2 * bound / static_cast<float>(std::minstd_rand::max());
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(generator()) * step - bound;
  return values;
}

}  // namespace spiga::model
