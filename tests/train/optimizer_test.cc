// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/nn/module.h>
#include <torch/optim/adamw.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>

namespace spiga::train {
namespace {

// Two parameters of different shapes.
struct Small : torch::nn::Module {
  Small() {
    weight = register_parameter("weight", torch::arange(6, torch::kFloat32).reshape({2, 3}) / 5);
    bias = register_parameter("bias", torch::tensor({1.0F, -2.0F}));
  }
  torch::Tensor loss(const torch::Tensor& x) {
    return (at::linear(x, weight, bias).tanh() - 0.3).square().sum();
  }
  torch::Tensor weight, bias;
};

TEST(FlatParameters, ParametersAndGradientsAreViews) {
  Small module;
  const FlatParameters flat(module);
  ASSERT_EQ(flat.ranges().size(), 2);
  EXPECT_EQ(flat.ranges()[0].name, "weight");
  EXPECT_EQ(flat.ranges()[1].begin, 6);
  EXPECT_EQ(flat.ranges()[1].shape, std::vector<std::int64_t>{2});
  EXPECT_FLOAT_EQ(flat.values()[7].item<float>(), -2);
  flat.values().mul_(2);
  EXPECT_FLOAT_EQ(module.bias[1].item<float>(), -4);
  for (int round = 1; round <= 2; ++round) {  // gradients add up in place
    module.loss(torch::ones({1, 3})).backward();
    EXPECT_TRUE(module.weight.grad().flatten().equal(flat.gradients().narrow(0, 0, 6)));
    EXPECT_NE(flat.gradients()[0].item<float>(), 0);
  }
}

TEST(FlatParameters, MaskMarksTheTrainedOnes) {
  Small module;
  const FlatParameters flat(module);
  EXPECT_TRUE(flat.mask_of({module.bias}).equal(torch::tensor({0.F, 0.F, 0.F, 0.F, 0.F, 0.F, 1.F, 1.F})));
}

TEST(AdamW, AgreesWithLibTorch) {
  Small ours, theirs;
  const FlatParameters flat(ours);
  AdamWState state = {torch::zeros({8}), torch::zeros({8}), 0};
  torch::optim::AdamW reference(
      theirs.parameters(), torch::optim::AdamWOptions(0.05).betas({0.8, 0.95}).eps(1e-6).weight_decay(0.1));
  const AdamWOptions options = {.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.1};
  for (int step = 0; step < 20; ++step) {
    const torch::Tensor x = torch::full({4, 3}, 0.1 * step);
    flat.gradients().zero_();
    ours.loss(x).backward();
    adamw_step(flat.values(), flat.gradients(), state, torch::ones({8}), torch::ones({8}), 0.05, options);
    reference.zero_grad();
    theirs.loss(x).backward();
    reference.step();
  }
  EXPECT_EQ(state.steps, 20);
  EXPECT_TRUE(ours.weight.allclose(theirs.weight, 1e-5, 1e-6));
  EXPECT_TRUE(ours.bias.allclose(theirs.bias, 1e-5, 1e-6));
}

TEST(AdamW, LeavesMaskedElementsAndDecaysMarkedOnesOnly) {
  const torch::Tensor values = torch::tensor({1.F, 1.F, 1.F}), gradients = torch::tensor({0.F, 0.F, 1.F});
  AdamWState state = {torch::zeros({3}), torch::zeros({3}), 0};
  adamw_step(values, gradients, state, torch::tensor({1.F, 1.F, 0.F}), torch::tensor({1.F, 0.F, 1.F}), 0.1,
             {.weight_decay = 0.5});
  EXPECT_TRUE(values.allclose(torch::tensor({0.95F, 1.F, 1.F})));
  EXPECT_TRUE(state.mean.equal(torch::zeros({3})));
}

TEST(Gradients, AreClippedToTheNormOfTheMask) {
  torch::Tensor gradients = torch::tensor({3.F, 4.F, 100.F});
  const torch::Tensor mask = torch::tensor({1.F, 1.F, 0.F});
  EXPECT_FLOAT_EQ(clip_gradients(gradients, mask, 10).item<float>(), 5);
  EXPECT_FLOAT_EQ(gradients[1].item<float>(), 4);
  EXPECT_FLOAT_EQ(clip_gradients(gradients, mask, 1).item<float>(), 5);
  EXPECT_NEAR(gradients[0].item<float>(), 0.6, 1e-5);
  gradients[0] = NAN;
  EXPECT_TRUE(std::isnan(clip_gradients(gradients, mask, 1).item<float>()));
}

TEST(Average, FollowsSlowly) {
  torch::Tensor average = torch::tensor({1.F, 2.F});
  update_average(average, torch::tensor({3.F, 2.F}), 0.75);
  EXPECT_TRUE(average.equal(torch::tensor({1.5F, 2.F})));
}

}  // namespace
}  // namespace spiga::train
