// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/cascade_start.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "train/random.h"

namespace spiga::train {
namespace {

// What happens to one face's shape: multiplied by [a, -b; b, a] about its mean, moved by (x, y).
struct Move {
  float a = 1, b = 0, x = 0, y = 0;
};

Move draw_move(const StartVariation& v, Random& random) {
  const double size = std::exp(v.size * random.normal());
  const double angle = v.turn_deg * std::numbers::pi / 180 * random.normal();
  return {static_cast<float>(size * std::cos(angle)), static_cast<float>(size * std::sin(angle)),
          static_cast<float>(v.shift * random.normal()), static_cast<float>(v.shift * random.normal())};
}

void apply(const Move& move, float* points, std::int64_t count) {
  float mean_x = 0, mean_y = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    mean_x += points[2 * i] / static_cast<float>(count);
    mean_y += points[2 * i + 1] / static_cast<float>(count);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const float x = points[2 * i] - mean_x, y = points[2 * i + 1] - mean_y;
    points[2 * i] = mean_x + move.a * x - move.b * y + move.x;
    points[2 * i + 1] = mean_y + move.b * x + move.a * y + move.y;
  }
}

}  // namespace

torch::Tensor vary_start(const torch::Tensor& initial, const torch::Tensor& projected,
                         const StartVariation& variation, std::uint64_t seed, std::int64_t first) {
  const torch::NoGradGuard no_grad;
  if (variation.projection <= 0 && variation.noise <= 0) return initial.detach();
  torch::Tensor start = initial.detach().to(torch::kCPU, torch::kFloat32).contiguous().clone();
  const torch::Tensor other = projected.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const std::int64_t landmarks = start.size(1);
  for (std::int64_t face = 0; face < start.size(0); ++face) {
    Random random(mix(seed, static_cast<std::uint64_t>(first + face)));
    if (random.chance(variation.projection)) start[face].copy_(other[face]);
    if (!random.chance(variation.noise)) continue;
    float* points = start.data_ptr<float>() + face * landmarks * 2;
    apply(draw_move(variation, random), points, landmarks);
    for (std::int64_t i = 0; i < 2 * landmarks; ++i)
      points[i] += static_cast<float>(variation.landmark * random.normal());
  }
  return start.nan_to_num_(0.5, 1.5, -0.5).clamp_(-0.5, 1.5).to(initial.device());
}

}  // namespace spiga::train
