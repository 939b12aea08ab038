// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/losses.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>

#include "train/network.h"
#include "train/targets.h"

namespace spiga::train {
namespace {

using torch::Tensor;

// Compares the gradient of a scalar function with finite differences at a few places.
void check_gradient(const Tensor& at, const std::function<Tensor(const Tensor&)>& function,
                    double tolerance) {
  const Tensor x = at.clone().set_requires_grad(true);
  function(x).backward();
  const Tensor gradient = x.grad().flatten();
  const std::int64_t count = at.numel();
  for (std::int64_t i = 0; i < count; i += std::max<std::int64_t>(1, count / 17)) {
    constexpr double kStep = 1e-2;
    const auto moved = [&](double by) {
      Tensor y = at.clone();
      y.flatten()[i] += by;
      return function(y).item<double>();
    };
    EXPECT_NEAR(gradient[i].item<double>(), (moved(kStep) - moved(-kStep)) / (2 * kStep), tolerance)
        << "place " << i;
  }
}

TEST(Losses, CoordinatesAreSmoothL1In64thsOfTheCrop) {
  const Tensor found = torch::tensor({{{0.5F, 0.5F}, {0.25F, 0.75F}, {0.0F, 0.0F}}});
  const Tensor target = torch::tensor({{{0.5F + 0.5F / 64, 0.5F}, {0.25F + 3.0F / 64, 0.75F}, {0.9F, 0.9F}}});
  const Tensor visible = torch::tensor({{1.0F, 1.0F, 0.0F}});
  // 0.5 cells: 0.125; 3 cells: 2.5; each the mean over x and y.
  EXPECT_NEAR(coordinate_loss(found, target, visible, 1).item<double>(), (0.125 + 2.5) / 4, 1e-5);
  EXPECT_NEAR(coordinate_loss(found, target, visible, 0).item<double>(), (0.5 + 3) / 4, 1e-5);
  EXPECT_EQ(coordinate_loss(found, target, torch::zeros({1, 3}), 1).item<double>(), 0);
}

double adaptive_wing_twin(double map, double target) {
  constexpr double kAlpha = 2.1, kOmega = 14, kEpsilon = 1, kTheta = 0.5;
  const double d = std::abs(map - target), p = kAlpha - target;
  if (d < kTheta) return kOmega * std::log(1 + std::pow(d / kEpsilon, p));
  const double a =
      kOmega * (1 / (1 + std::pow(kTheta / kEpsilon, p))) * p * std::pow(kTheta / kEpsilon, p - 1) / kEpsilon;
  const double c = kTheta * a - kOmega * std::log(1 + std::pow(kTheta / kEpsilon, p));
  return a * d - c;
}

TEST(Losses, AdaptiveWingIsTheFormulaOfItsPaper) {
  torch::manual_seed(1);
  const Tensor maps = torch::rand({2, 3, 4, 4}), target = torch::rand({2, 3, 4, 4});
  const Tensor visible = torch::tensor({{1.0F, 0.0F, 1.0F}, {1.0F, 1.0F, 1.0F}});
  double sum = 0;
  const auto m = maps.accessor<float, 4>(), t = target.accessor<float, 4>();
  const auto v = visible.accessor<float, 2>();
  for (int n = 0; n < 2; ++n)
    for (int k = 0; k < 3; ++k)
      for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 4; ++x) sum += v[n][k] * adaptive_wing_twin(m[n][k][y][x], t[n][k][y][x]) / 16;
  EXPECT_NEAR(adaptive_wing_loss(maps, target, visible).item<double>(), sum / 5, 1e-4);
  check_gradient(
      maps, [&](const Tensor& x) { return adaptive_wing_loss(x, target, visible); }, 5e-3);
}

TEST(Losses, AdaptiveWingHasAFiniteGradientWhereMapsAgree) {
  const Tensor target = torch::tensor({0.0F, 1.0F, 0.3F, 0.5F}).view({1, 1, 2, 2});
  const Tensor maps = target.clone().set_requires_grad(true);
  const Tensor loss = adaptive_wing_loss(maps, target, torch::ones({1, 1}));
  loss.backward();
  EXPECT_LT(loss.item<double>(), 1e-5);
  EXPECT_TRUE(torch::isfinite(maps.grad()).all().item<bool>());
}

TEST(Losses, CrossEntropyIsThatOfTheUncertaintyOutTarget) {
  torch::manual_seed(2);
  const Tensor heat = torch::randn({2, 3, 8, 8}) * 2, landmarks = torch::rand({2, 3, 2});
  const Tensor visible = torch::tensor({{1.0F, 1.0F, 0.0F}, {1.0F, 1.0F, 1.0F}});
  Tensor target = point_maps(landmarks, 8, 1.2).flatten(2);
  target = target / target.sum(2, true);
  const Tensor twin = -(target * torch::log_softmax(heat.flatten(2), 2)).sum(2);
  const double expected = ((twin * visible).sum() / 5).item<double>();
  EXPECT_NEAR(heat_cross_entropy(heat, landmarks, visible, 1.2).item<double>(), expected, 1e-4);
  check_gradient(
      heat, [&](const Tensor& x) { return heat_cross_entropy(x, landmarks, visible, 1.2); }, 2e-3);
}

// A map whose probabilities are a Gaussian turned by `angle`, and the same numbers by plain summation.
TEST(Losses, StarWeighsErrorsByTheMapsOwnUncertainty) {
  constexpr int kMap = 32;
  constexpr double kAngle = 0.6, kWide = 3, kNarrow = 1;  // standard deviations in 64ths
  Tensor heat = torch::zeros({1, 1, kMap, kMap});
  for (int y = 0; y < kMap; ++y)
    for (int x = 0; x < kMap; ++x) {
      const double dx = 2 * (x + 0.5) - 30, dy = 2 * (y + 0.5) - 34;
      const double u = std::cos(kAngle) * dx + std::sin(kAngle) * dy,
                   v = std::cos(kAngle) * dy - std::sin(kAngle) * dx;
      heat[0][0][y][x] = -0.5 * (u * u / (kWide * kWide) + v * v / (kNarrow * kNarrow));
    }
  const auto loss = [&](double along, double across) {
    const double x = 30 + std::cos(kAngle) * along - std::sin(kAngle) * across;
    const double y = 34 + std::sin(kAngle) * along + std::cos(kAngle) * across;
    const Tensor landmark = torch::tensor({{{x / 64, y / 64}}}, torch::kFloat);
    return star_loss(heat, landmark, torch::ones({1, 1}), 0, 0).item<double>();
  };
  EXPECT_NEAR(loss(0, 0), 0, 0.02);
  EXPECT_NEAR(loss(6, 0), 6 / kWide, 0.05);
  EXPECT_NEAR(loss(0, 6), 6 / kNarrow, 0.15);
  EXPECT_NEAR(loss(-3, 2), 3 / kWide + 2 / kNarrow, 0.1);
  const Tensor at_centre = torch::tensor({{{30.0F / 64, 34.0F / 64}}});
  EXPECT_NEAR(star_loss(heat, at_centre, torch::ones({1, 1}), 0, 1).item<double>() - loss(0, 0),
              (kWide * kWide + kNarrow * kNarrow) / 2 / 1024, 1e-4);
}

TEST(Losses, StarHasTheGradientOfItsValueForFixedAxes) {
  torch::manual_seed(5);
  // Symmetric maps: the axes stay where they are when a cell and its mirror image change together.
  const Tensor half = torch::randn({1, 2, 8, 4});
  const Tensor landmarks = torch::rand({1, 2, 2}) * torch::tensor({0.0F, 1.0F}) + torch::tensor({0.5F, 0.0F});
  check_gradient(
      half,
      [&](const Tensor& h) {
        return star_loss(torch::cat({h, h.flip(3)}, 3), landmarks, torch::ones({1, 2}), 1, 1);
      },
      5e-3);
  const Tensor sharp = (40 * torch::eye(8)).expand({1, 1, 8, 8}).clone().set_requires_grad(true);
  star_loss(sharp, landmarks.narrow(1, 0, 1), torch::ones({1, 1}), 1, 1).backward();
  EXPECT_TRUE(torch::isfinite(sharp.grad()).all().item<bool>());
}

TEST(Losses, PoseCountsInUnitsOfItsUncertaintyAndOnlyWhereKnown) {
  const Tensor target = torch::zeros({2, 6});
  const Tensor pose =
      torch::tensor({{25.0F, 12.0F, 0.0F, 0.3F, 0.0F, 1.0F}, {99.0F, 99.0F, 99.0F, 9.0F, 9.0F, 9.0F}});
  EXPECT_NEAR(pose_loss(pose, target, torch::tensor({1.0F, 0.0F})).item<double>(), 1 + 1 + 1 + 4, 1e-4);
  EXPECT_EQ(pose_loss(pose, target, torch::zeros({2})).item<double>(), 0);
}

// A batch and what a backbone of two stacks might say of it.
struct Setting {
  model::NetworkConfig config{.stem_stride = 4, .stacks = 2};
  Batch batch;
  BackboneOutput output;
};

Setting some_setting() {
  torch::manual_seed(4);
  Setting s;
  const int map = s.config.map_size();
  s.batch.images = torch::zeros({2, 3, 8, 8});
  s.batch.landmarks = torch::rand({2, 68, 2});
  s.batch.visible = torch::ones({2, 68});
  s.batch.visible[0][3] = 0;
  s.batch.pose = torch::randn({2, 6}) * 10;
  s.batch.has_pose = torch::tensor({1.0F, 0.0F});
  for (int h = 0; h < 2; ++h) {
    s.output.heat.push_back(torch::randn({2, 68, map, map}));
    s.output.points.push_back(torch::rand({2, 68, map, map}));
    s.output.edges.push_back(torch::rand({2, 13, map, map}));
    s.output.pose.push_back(torch::randn({2, 6}) * 10);
  }
  return s;
}

TEST(Losses, BackboneWeighsPartsAndDoublesFromStackToStack) {
  const Setting s = some_setting();
  const auto total = [&](BackboneLossWeights w) {
    return backbone_loss(s.output, s.batch, w, s.config).total.item<double>();
  };
  const auto& [b, o] = std::tie(s.batch, s.output);
  double coordinates = 0, entropy = 0, pose = 0;
  for (std::size_t h = 0; h < 2; ++h) {
    const double scale = h ? 2 : 1;
    coordinates += scale * coordinate_loss(soft_argmax(o.heat[h]), b.landmarks, b.visible, 1).item<double>();
    entropy += scale * heat_cross_entropy(o.heat[h], b.landmarks, b.visible, 1).item<double>();
    pose += scale * pose_loss(o.pose[h], b.pose, b.has_pose).item<double>();
  }
  const BackboneLossWeights none{.coordinates = 0, .attention = 0, .cross_entropy = 0, .pose = 0};
  BackboneLossWeights w = none;
  w.coordinates = 4;
  EXPECT_NEAR(total(w), 4 * coordinates, 1e-3 * coordinates);
  w = none;
  w.cross_entropy = 0.5;
  EXPECT_NEAR(total(w), 0.5 * entropy, 1e-3 * entropy);
  w = none;
  w.pose = 3;
  EXPECT_NEAR(total(w), 3 * pose, 1e-3 * pose);
  w.coordinates = 4;
  w.cross_entropy = 0.5;
  EXPECT_NEAR(total(w), 3 * pose + 4 * coordinates + 0.5 * entropy, 1e-2);
  EXPECT_EQ(total(none), 0);
}

TEST(Losses, AttentionComparesPointsAndEdgesWithTheirTargets) {
  Setting s = some_setting();
  const BackboneLossWeights w{.coordinates = 0, .attention = 50, .pose = 0};
  const Losses far = backbone_loss(s.output, s.batch, w, s.config);
  EXPECT_EQ(far.parts.count("attention"), 1U);
  EXPECT_EQ(far.parts.size(), 1U);
  EXPECT_NEAR(far.total.item<double>(), 50 * 3 * far.parts.at("attention").item<double>(),
              0.05 * far.total.item<double>())
      << "both stacks are as wrong";
  // The right maps cost nothing, wherever an invisible landmark's map may look otherwise.
  for (std::size_t h = 0; h < 2; ++h)
    s.output.points[h] = point_maps(s.batch.landmarks, s.config.map_size(), 1.5);
  const Losses right_points = backbone_loss(s.output, s.batch, w, s.config);
  EXPECT_LT(right_points.total.item<double>(), 0.7 * far.total.item<double>());
  for (std::size_t h = 0; h < 2; ++h) s.output.points[h][0][3].fill_(0.77);
  EXPECT_NEAR(backbone_loss(s.output, s.batch, w, s.config).total.item<double>(),
              right_points.total.item<double>(), 1e-3);
}

TEST(Losses, PartsCarryNoGradientAndTheTotalDoes) {
  Setting s = some_setting();
  s.output.heat[0].set_requires_grad(true);
  s.output.pose[1].set_requires_grad(true);
  const Losses losses = backbone_loss(s.output, s.batch, {.cross_entropy = 0.1}, s.config);
  for (const auto& [name, value] : losses.parts) EXPECT_FALSE(value.requires_grad()) << name;
  losses.total.backward();
  EXPECT_GT(s.output.heat[0].grad().abs().sum().item<double>(), 0);
  EXPECT_GT(s.output.pose[1].grad().abs().sum().item<double>(), 0);
  EXPECT_EQ(s.output.heat[0].grad()[0][3].abs().sum().item<double>(), 0)
      << "an invisible landmark teaches nothing";
}

TEST(Losses, CascadeCountsEveryStepAlike) {
  const Setting s = some_setting();
  const std::vector<Tensor> steps = {s.batch.landmarks + 1.0 / 64, s.batch.landmarks + 2.0 / 64,
                                     s.batch.landmarks};
  const Losses losses = cascade_loss(steps, s.batch);
  EXPECT_NEAR(losses.total.item<double>(), 0.5 + 1.5, 1e-3);
  EXPECT_NEAR(losses.parts.at("step1").item<double>(), 1.5, 1e-3);
}

}  // namespace
}  // namespace spiga::train
