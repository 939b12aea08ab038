// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/fused.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/nn/init.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <tuple>
#include <vector>

namespace spiga::train {
namespace {

// Every fused operation against the composition of LibTorch's own, values and gradients.
struct Outcome {
  std::vector<torch::Tensor> values;     // outputs and statistics
  std::vector<torch::Tensor> gradients;  // of the inputs
};

using Operation = std::function<std::vector<torch::Tensor>(const std::vector<torch::Tensor>& inputs)>;

// Runs the operation on copies of the inputs; the loss weighs every output element differently.
Outcome run(const Operation& operation, const std::vector<torch::Tensor>& inputs, bool fused) {
  set_fused(fused);
  std::vector<torch::Tensor> leaves;
  for (const torch::Tensor& input : inputs) leaves.push_back(input.detach().clone().requires_grad_(true));
  Outcome outcome;
  outcome.values = operation(leaves);
  torch::Tensor loss = torch::zeros({});
  for (const torch::Tensor& value : outcome.values) {
    if (!value.requires_grad()) continue;
    const torch::Tensor weights =
        torch::arange(value.numel(), torch::kFloat32).mul(0.7).sin().reshape(value.sizes()) + 0.1;
    loss = loss + (value.to(torch::kFloat32) * weights).sum();
  }
  loss.backward();
  for (const torch::Tensor& leaf : leaves) outcome.gradients.push_back(leaf.grad());
  set_fused(true);
  return outcome;
}

double worst_difference(const torch::Tensor& a, const torch::Tensor& b) {
  const double scale = b.to(torch::kFloat64).abs().max().item<double>();
  return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>() / std::max(scale, 1e-6);
}

void expect_near(const Outcome& ours, const Outcome& theirs, double tolerance) {
  ASSERT_EQ(ours.values.size(), theirs.values.size());
  for (std::size_t i = 0; i < ours.values.size(); ++i)
    EXPECT_LT(worst_difference(ours.values[i], theirs.values[i]), tolerance) << "value " << i;
  for (std::size_t i = 0; i < ours.gradients.size(); ++i)
    EXPECT_LT(worst_difference(ours.gradients[i], theirs.gradients[i]), tolerance)
        << "gradient of input " << i;
}

torch::Tensor channels_last(const torch::Tensor& x) {
  return x.contiguous(torch::MemoryFormat::ChannelsLast);
}

// Compares in float32 tightly, in bfloat16 against the float32 composition of the same rounded inputs
// loosely. The first `activations` inputs are of the activations' type.
void check(const Operation& operation, std::vector<torch::Tensor> inputs, std::size_t activations) {
  const Outcome theirs = run(operation, inputs, false);
  expect_near(run(operation, inputs, true), theirs, 2e-5);
  for (std::size_t i = 0; i < activations; ++i) inputs[i] = inputs[i].to(torch::kBFloat16);
  const Outcome ours = run(operation, inputs, true);
  for (std::size_t i = 0; i < activations; ++i) inputs[i] = inputs[i].to(torch::kFloat32);
  expect_near(ours, run(operation, inputs, false), 2e-2);
}

struct NormCase {
  std::vector<std::int64_t> shape;
  bool training;
  Activation activation;
};

class NormTest : public testing::TestWithParam<NormCase> {
 protected:
  void SetUp() override { torch::manual_seed(3); }

  // Input far from zero mean, so that a careless variance would cancel.
  torch::Tensor input() const {
    const torch::Tensor x = torch::randn(GetParam().shape) * 1.5 + 3;
    return x.dim() == 4 ? channels_last(x) : x;
  }
  static torch::Tensor parameter(std::int64_t channels) { return torch::rand({channels}) + 0.5; }
  Norm norm(const torch::Tensor& weight, const torch::Tensor& bias) const {
    const std::int64_t channels = weight.size(0);
    return {weight, bias, torch::full({channels}, 2.5), torch::full({channels}, 1.7), GetParam().training};
  }
};

TEST_P(NormTest, AgreesWithBatchNorm) {
  const torch::Tensor x = input();
  check(
      [&](const std::vector<torch::Tensor>& in) {
        const Norm n = norm(in[1], in[2]);
        const torch::Tensor y = normalize(in[0], n, GetParam().activation);
        return std::vector<torch::Tensor>{y, n.running_mean, n.running_var};
      },
      {x, parameter(x.size(1)), parameter(x.size(1)) - 1}, 1);
}

TEST_P(NormTest, ForkAddsTheOtherReadersGradient) {
  const torch::Tensor x = input();
  check(
      [&](const std::vector<torch::Tensor>& in) {
        auto [y, same] = normalize_and_fork(in[0], norm(in[1], in[2]), GetParam().activation);
        return std::vector<torch::Tensor>{y, same * 3};
      },
      {x, parameter(x.size(1)), parameter(x.size(1)) - 1}, 1);
}

TEST_P(NormTest, ShuffledAgreesWithDepthToSpace) {
  if (GetParam().shape.size() != 4) GTEST_SKIP() << "maps only";
  auto shape = GetParam().shape;
  const std::int64_t channels = shape[1];
  const torch::Tensor add = channels_last(torch::randn({shape[0], channels, 2 * shape[2], 2 * shape[3]}));
  shape[1] *= 4;
  const torch::Tensor wide = channels_last(torch::randn(shape) * 1.5 + 3);
  check(
      [&](const std::vector<torch::Tensor>& in) {
        const Norm n = norm(in[2], in[3]);
        const torch::Tensor y = normalize_shuffled(in[0], n, GetParam().activation, in[1]);
        return std::vector<torch::Tensor>{y, n.running_mean, n.running_var};
      },
      {wide, add, parameter(channels), parameter(channels) - 1}, 2);
}

INSTANTIATE_TEST_SUITE_P(Shapes, NormTest,
                         testing::Values(NormCase{{3, 128, 9, 10}, true, Activation::relu},
                                         NormCase{{2, 32, 32, 32}, true, Activation::relu},
                                         NormCase{{2, 48, 5, 3}, true, Activation::none},
                                         NormCase{{2, 7, 4, 4}, true, Activation::relu},
                                         NormCase{{5, 64, 1, 1}, true, Activation::relu},
                                         NormCase{{700, 52}, true, Activation::relu},
                                         NormCase{{68, 16}, false, Activation::relu},
                                         NormCase{{2, 96, 6, 6}, false, Activation::none}));

TEST(Fused, ShuffleIsTheTransposedConvolution) {
  torch::manual_seed(5);
  const torch::Tensor x = torch::randn({2, 8, 3, 5}), weight = torch::randn({8, 6, 2, 2});
  const torch::Tensor pointwise = weight.permute({2, 3, 1, 0}).reshape({24, 8, 1, 1});
  const torch::Tensor expected = torch::conv_transpose2d(x, weight, {}, 2);
  EXPECT_LT(worst_difference(depth_to_space(torch::conv2d(x, pointwise)), expected), 1e-5);
}

TEST(Fused, WindowsAgreeWithGridSample) {
  torch::manual_seed(7);
  for (const std::int64_t channels : {128, 20}) {
    const torch::Tensor field = channels_last(torch::randn({2, channels, 16, 16}));
    const torch::Tensor points = torch::rand({2, 9, 2}) * 1.4 - 0.2;  // some outside the map
    check(
        [&](const std::vector<torch::Tensor>& in) {
          return std::vector<torch::Tensor>{sample_windows(in[0], points, 7, 4)};
        },
        {field}, 1);
  }
}

TEST(Fused, WindowsSurviveNonFinitePoints) {
  const torch::Tensor field = channels_last(torch::randn({1, 16, 8, 8}));
  const torch::Tensor points = torch::tensor({NAN, 0.5F, INFINITY, -INFINITY, 1e30F, -1e30F}).view({1, 3, 2});
  EXPECT_EQ(sample_windows(field, points, 3, 4).sizes(), torch::IntArrayRef({3, 144}));
}

TEST(Fused, HeadsAgreeWithTheirFormula) {
  torch::manual_seed(8);
  const std::int64_t landmarks = 68, edges = 13, channels = 2 * padded(landmarks) + padded(edges);
  EdgeIncidence incidence{(torch::rand({edges, landmarks}) < 0.1).to(torch::kFloat32),
                          (torch::rand({landmarks}) < 0.1).to(torch::kFloat32)};
  const torch::Tensor logits = channels_last(torch::randn({2, channels, 9, 7}) * 3);
  check(
      [&](const std::vector<torch::Tensor>& in) {
        const HeadMaps maps = head_maps(in[0], incidence);
        return std::vector<torch::Tensor>{maps.points, maps.edges, maps.heat, maps.heat_typed};
      },
      {logits}, 1);
  check(
      [&](const std::vector<torch::Tensor>& in) {
        return std::vector<torch::Tensor>{head_maps(in[0], incidence).heat};
      },
      {logits}, 1);
}

TEST(Fused, AttentionAgreesWithItsFormula) {
  torch::manual_seed(9);
  for (const auto& [nodes, width, heads] :
       {std::tuple{68, 128, 4}, std::tuple{98, 64, 4}, std::tuple{5, 24, 2}}) {
    check(
        [&, n = nodes, h = heads](const std::vector<torch::Tensor>& in) {
          return std::vector<torch::Tensor>{attend(in[0], n, h)};
        },
        {torch::randn({3 * nodes, 3 * width}) * 1.5}, 1);
  }
}

TEST(Fused, ThreadsChangeNothing) {
  torch::manual_seed(6);
  const torch::Tensor x = channels_last(torch::randn({4, 64, 32, 32})), weight = torch::rand({64});
  const Operation operation = [&](const std::vector<torch::Tensor>& in) {
    const Norm n = {in[1], in[2], torch::zeros(64), torch::ones(64), true};
    return std::vector<torch::Tensor>{normalize(in[0], n, Activation::relu), n.running_var};
  };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Outcome one = run(operation, {x, weight, weight}, true);
  at::set_num_threads(2);
  const Outcome two = run(operation, {x, weight, weight}, true);
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < one.values.size(); ++i) EXPECT_TRUE(torch::equal(one.values[i], two.values[i]));
  for (std::size_t i = 0; i < one.gradients.size(); ++i)
    EXPECT_TRUE(torch::equal(one.gradients[i], two.gradients[i]));
}

}  // namespace
}  // namespace spiga::train
