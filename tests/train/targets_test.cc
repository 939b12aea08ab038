// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/targets.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>

namespace spiga::train {
namespace {

constexpr int kMap = 16;

torch::Tensor some_landmarks() {
  torch::manual_seed(3);
  return torch::rand({2, 6, 2}) * 1.2 - 0.1;  // a few lie off the map
}

// Distance of a place to the piece from a to b.
double distance_to_piece(double x, double y, const double* a, const double* b) {
  const double dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  double t = length > 0 ? ((x - a[0]) * dx + (y - a[1]) * dy) / length : 0;
  t = std::fmin(1, std::fmax(0, t));
  return std::hypot(x - a[0] - t * dx, y - a[1] - t * dy);
}

TEST(Targets, PointMapsAreGaussiansOfTheDistance) {
  const torch::Tensor landmarks = some_landmarks();
  const torch::Tensor maps = point_maps(landmarks, kMap, 1.5);
  ASSERT_EQ(maps.sizes(), torch::IntArrayRef({2, 6, kMap, kMap}));
  const auto p = landmarks.accessor<float, 3>();
  const auto m = maps.accessor<float, 4>();
  for (int n = 0; n < 2; ++n)
    for (int l = 0; l < 6; ++l)
      for (int y = 0; y < kMap; ++y)
        for (int x = 0; x < kMap; ++x) {
          const double d = std::hypot(x + 0.5 - kMap * p[n][l][0], y + 0.5 - kMap * p[n][l][1]);
          EXPECT_NEAR(m[n][l][y][x], std::exp(-d * d / (2 * 1.5 * 1.5)), 1e-5);
        }
}

TEST(Targets, EdgeMapsFollowTheDistanceToTheLine) {
  const std::vector<std::vector<int>> edges = {{0, 1, 2, 3}, {4, 2, 5}, {3, 0}};
  torch::Tensor landmarks = some_landmarks();
  landmarks[1][1] = landmarks[1][0].clone();  // a piece without length
  const torch::Tensor maps = edge_maps(landmarks, edges, kMap, 1);
  ASSERT_EQ(maps.sizes(), torch::IntArrayRef({2, 3, kMap, kMap}));
  const torch::Tensor scaled = (landmarks.to(torch::kDouble) * kMap).contiguous();
  const auto p = scaled.accessor<double, 3>();
  const auto m = maps.accessor<float, 4>();
  for (int n = 0; n < 2; ++n)
    for (std::size_t e = 0; e < edges.size(); ++e)
      for (int y = 0; y < kMap; ++y)
        for (int x = 0; x < kMap; ++x) {
          double d = std::numeric_limits<double>::infinity();
          for (std::size_t i = 0; i + 1 < edges[e].size(); ++i)
            d = std::fmin(d, distance_to_piece(x + 0.5, y + 0.5, p[n][edges[e][i]].data(),
                                               p[n][edges[e][i + 1]].data()));
          if (std::abs(d - 3) < 1e-3) continue;  // on the rim either is right
          EXPECT_NEAR(m[n][static_cast<long>(e)][y][x], d < 3 ? std::exp(-d * d / 2) : 0, 1e-4);
        }
}

TEST(Targets, AnEdgeIsVisibleWhereAllItsLandmarksAre) {
  const torch::Tensor visible = torch::tensor({{1.0F, 1.0F, 1.0F, 0.0F}, {1.0F, 0.0F, 1.0F, 1.0F}});
  const torch::Tensor edges = edge_visible(visible, {{0, 1, 2}, {2, 3}, {0, 2}});
  EXPECT_TRUE(torch::equal(edges, torch::tensor({{1.0F, 0.0F, 1.0F}, {0.0F, 1.0F, 1.0F}})));
}

TEST(Targets, AxisDistributionIsANormalisedGaussian) {
  const torch::Tensor coordinates = torch::tensor({{0.5F, 0.03F, 5.0F}});
  const torch::Tensor d = axis_distribution(coordinates, kMap, 1);
  EXPECT_TRUE(torch::allclose(d.sum(2), torch::ones({1, 3}), 0, 1e-5));
  const auto a = d.accessor<float, 3>();
  double sum = 0;
  for (int x = 0; x < kMap; ++x) sum += std::exp(-std::pow(x + 0.5 - 8, 2) / 2);
  for (int x = 0; x < kMap; ++x) EXPECT_NEAR(a[0][0][x], std::exp(-std::pow(x + 0.5 - 8, 2) / 2) / sum, 1e-6);
  EXPECT_GT(a[0][2][kMap - 1], 0.99) << "far off the map: on its last cell";
}

}  // namespace
}  // namespace spiga::train
