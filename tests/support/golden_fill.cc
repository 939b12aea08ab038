// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "support/golden_fill.h"

#include <cmath>
#include <functional>
#include <numeric>

namespace spiga::testing {
namespace {

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

// In [0, 1).
double uniform(std::uint64_t hash, std::uint64_t index) {
  std::uint64_t z = hash + (index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// What is multiplied on top, so that the random network stays in a sensible range.
double damping(std::string_view name, std::size_t dimensions) {
  if (name == "pose_fc.weight") return 0.1;
  if (contains(name, ".attn.proj.") && dimensions >= 2) return 0.25;
  if (name.ends_with("decoder.decoder.12.weight")) return 0.1;
  return 1;
}

// Value of an element from its u.
std::function<double(double)> rule_of(std::string_view name, const std::vector<std::int64_t>& shape,
                                      std::int64_t count) {
  if (name.ends_with(".running_var")) return [](double u) { return 0.5 + u; };
  if (name.ends_with(".running_mean")) return [](double u) { return 0.2 * (u - 0.5); };
  if (shape.size() < 2) {
    if (name.ends_with("weight")) return [](double u) { return 0.8 + 0.4 * u; };
    return [](double u) { return 0.1 * (u - 0.5); };
  }
  const auto fan_in = static_cast<double>(contains(name, "deconv") ? shape[0] : count / shape[0]);
  const double bound = std::sqrt(3.0 / fan_in);
  const double factor = damping(name, shape.size());
  return [bound, factor](double u) { return (2 * u - 1) * bound * factor; };
}

}  // namespace

std::vector<float> fill_tensor(std::string_view name, const std::vector<std::int64_t>& shape) {
  if (name == "pose_fc.bias") return {12.0F, -7.0F, 4.0F, -0.10F, 0.05F, 2.8F};
  const std::int64_t count =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  const std::uint64_t hash = fnv1a(name);
  const auto rule = rule_of(name, shape, count);
  std::vector<float> values(count);
  for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(rule(uniform(hash, i)));
  return values;
}

std::vector<float> golden_image() {
  constexpr int kSize = 256;
  std::vector<float> image;
  image.reserve(3 * kSize * kSize);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < kSize; ++y) {
      for (int x = 0; x < kSize; ++x) {
        image.push_back(static_cast<float>(0.5 + 0.5 * std::sin(0.05 * (c + 1) * x + 0.03 * y + c)));
      }
    }
  }
  return image;
}

}  // namespace spiga::testing
