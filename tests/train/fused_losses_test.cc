// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/fused_losses.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>
#include <tuple>

namespace spiga::train {
namespace {

using torch::Tensor;

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

std::vector<Tensor> all_of(const HeatStatistics& s) {
  return {s.log_sum, s.x, s.y, s.xx, s.yy, s.xy, s.expected};
}

// Maps, side: fewer than a block of 16, a block, and blocks that overlap.
class FusedLossesOfSize : public testing::TestWithParam<std::tuple<int, int>> {
 protected:
  FusedLossesOfSize() { torch::manual_seed(8); }
  int maps() const { return std::get<0>(GetParam()); }
  int side() const { return std::get<1>(GetParam()); }
  Tensor distribution() const { return torch::softmax(torch::randn({3, maps(), side()}), 2); }
};

TEST_P(FusedLossesOfSize, HeatStatisticsAreThoseOfTheirComposition) {
  const Tensor heat = torch::randn({3, maps(), side(), side()}) * 4, x = distribution(), y = distribution();
  const Tensor one = heat.clone().set_requires_grad(true), other = heat.clone().set_requires_grad(true);
  const auto fused = all_of(heat_statistics(one, x, y)),
             composed = all_of(composed_heat_statistics(other, x, y));
  Tensor fused_sum = torch::zeros({}), composed_sum = torch::zeros({});
  for (std::size_t i = 0; i < fused.size(); ++i) {
    const double size = composed[i].abs().max().item<double>();
    EXPECT_LT(largest_difference(fused[i], composed[i]), 3e-6 * size + 1e-5) << "number " << i;
    // Every number with a gradient of its own.
    const Tensor weight = torch::randn_like(composed[i]) / size;
    fused_sum = fused_sum + (weight * fused[i]).sum();
    composed_sum = composed_sum + (weight * composed[i]).sum();
  }
  fused_sum.backward();
  composed_sum.backward();
  EXPECT_LT(largest_difference(one.grad(), other.grad()),
            1e-5 * other.grad().abs().max().item<double>() + 1e-6);
}

TEST_P(FusedLossesOfSize, AdaptiveWingIsThatOfItsComposition) {
  const Tensor maps_in = torch::rand({3, maps(), side(), side()}), target = torch::rand_like(maps_in);
  const Tensor one = maps_in.clone().set_requires_grad(true), other = maps_in.clone().set_requires_grad(true);
  const Tensor fused = adaptive_wing_means(one, target),
               composed = composed_adaptive_wing_means(other, target);
  EXPECT_LT(largest_difference(fused, composed), 1e-5);
  const Tensor weight = torch::rand_like(composed);
  (weight * fused).sum().backward();
  (weight * composed).sum().backward();
  EXPECT_LT(largest_difference(one.grad(), other.grad()), 1e-5 * other.grad().abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Sizes, FusedLossesOfSize,
                         testing::Combine(testing::Values(1, 13, 16, 68, 98), testing::Values(8, 32)));

TEST(FusedLosses, StandExtremeHeat) {
  Tensor heat = torch::full({1, 68, 8, 8}, -300.0F);
  heat[0][3][2][5] = 500;
  heat.set_requires_grad(true);
  const Tensor target = torch::full({1, 68, 8}, 0.125F);
  const HeatStatistics s = heat_statistics(heat, target, target);
  EXPECT_NEAR(s.x[0][3].item<double>(), 5.5 * 8 - 32, 1e-4);
  EXPECT_NEAR(s.y[0][3].item<double>(), 2.5 * 8 - 32, 1e-4);
  EXPECT_NEAR(s.log_sum[0][3].item<double>(), 500, 1e-3);
  EXPECT_NEAR(s.x[0][4].item<double>(), 0, 1e-4) << "an even map";
  (s.x.sum() + s.log_sum.sum() + s.xx.sum()).backward();
  EXPECT_TRUE(torch::isfinite(heat.grad()).all().item<bool>());
}

TEST(FusedLosses, TakeBfloat16AndAnyMemoryLayout) {
  torch::manual_seed(9);
  const Tensor heat = torch::randn({2, 20, 8, 8}).to(torch::kBFloat16);
  const Tensor target = torch::softmax(torch::randn({2, 20, 8}), 2);
  const Tensor expected = composed_heat_statistics(heat, target, target).x;
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const Tensor laid_out = heat.clone().contiguous(format).detach().requires_grad_(true);
    const Tensor x = heat_statistics(laid_out, target, target).x;
    EXPECT_LT(largest_difference(x, expected), 1e-4);
    x.sum().backward();
    EXPECT_EQ(laid_out.grad().scalar_type(), torch::kBFloat16);
  }
}

}  // namespace
}  // namespace spiga::train
