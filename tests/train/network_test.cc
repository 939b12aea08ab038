// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/network.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <set>

#include "model/tensors.h"
#include "support/golden_fill.h"
#include "train/fused.h"
#include "weights/safetensors.h"

namespace spiga::train {
namespace {

const std::filesystem::path kReference = "tests/golden";

void fill(SpigaNetworkImpl& network) {
  torch::NoGradGuard no_grad;
  const auto fill_one = [](const std::string& name, torch::Tensor tensor) {
    const std::vector<float> values = testing::fill_tensor(name, tensor.sizes().vec());
    tensor.copy_(torch::tensor(values).reshape(tensor.sizes()));
  };
  for (const auto& item : network.named_parameters()) fill_one(item.key(), item.value());
  for (const auto& item : network.named_buffers()) fill_one(item.key(), item.value());
}

std::map<std::string, std::vector<std::int64_t>> shapes_of(SpigaNetworkImpl& network) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& item : network.named_parameters()) shapes[item.key()] = item.value().sizes().vec();
  for (const auto& item : network.named_buffers()) shapes[item.key()] = item.value().sizes().vec();
  return shapes;
}

double worst_difference(const torch::Tensor& ours, const weights::TensorView& golden) {
  const torch::Tensor expected = torch::tensor(weights::to_float32(golden)).reshape(ours.sizes());
  return (ours - expected).abs().max().item<double>();
}

TEST(Network, AgreesWithGoldenVectors) {
  for (const auto& [name, file] : {std::pair{"300w-full", "golden_300w68.safetensors"},
                                   std::pair{"wflw-full", "golden_wflw98.safetensors"}}) {
    SCOPED_TRACE(name);
    const weights::SafetensorsFile golden(kReference / file);
    torch::NoGradGuard no_grad;
    SpigaNetwork network(model::named_config(name));
    fill(*network);
    network->eval();
    const torch::Tensor image = torch::tensor(testing::golden_image()).view({1, 3, 256, 256});
    const BackboneOutput output = network->backbone(image, false);
    EXPECT_LT(worst_difference(output.pose.back()[0], *golden.find("pose")), 1e-4);
    const torch::Tensor initial = network->initial_landmarks(output);
    EXPECT_LT(worst_difference(initial[0], *golden.find("projection")), 1e-4);
    const auto steps = network->cascade(output.field, initial);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const std::string step = "landmarks_step" + std::to_string(s);
      EXPECT_LT(worst_difference(steps[s][0], *golden.find(step)), 1e-4) << step;
    }
  }
}

// Names and shapes are those of the published checkpoint: what is missing is never used, what is more only
// trains.
TEST(Network, HasThePublishedTensors) {
  for (const char* name : {"300w-full", "wflw-full", "default"}) {
    SCOPED_TRACE(name);
    const model::NetworkConfig config = model::named_config(name);
    auto ours = shapes_of(*SpigaNetwork(config));
    for (const model::TensorSpec& spec : model::expected_tensors(config)) {
      const auto found = ours.find(spec.name);
      if (found == ours.end()) {
        EXPECT_NE(spec.name.find(".skip_layer."), std::string::npos) << spec.name;
        EXPECT_EQ(spec.shape[0], spec.shape[1]) << spec.name;
        continue;
      }
      EXPECT_EQ(found->second, spec.shape) << spec.name;
      ours.erase(found);
    }
    for (const auto& [rest, shape] : ours) EXPECT_TRUE(model::is_training_only(rest, config)) << rest;
  }
}

model::NetworkConfig small_config(model::InitialShape initial) {
  model::NetworkConfig config = model::named_config("default");
  config.stem_width = 8;
  config.width = 16;
  config.embedding = 32;
  config.shape_hidden = 16;
  config.gat_width = 16;
  config.window_grid = 3;
  config.initial_shape = initial;
  return config;
}

torch::Tensor pictures(std::int64_t count) {
  return torch::rand({count, 3, 256, 256}).contiguous(torch::MemoryFormat::ChannelsLast);
}

torch::Tensor loss_of(SpigaNetwork& network, const torch::Tensor& images) {
  const BackboneOutput output = network->backbone(images);
  torch::Tensor loss = torch::zeros({});
  for (const auto& maps : {output.heat, output.points, output.edges, output.pose})
    for (const torch::Tensor& map : maps) loss = loss + map.square().mean();
  for (const torch::Tensor& points : network->cascade(output.field, network->initial_landmarks(output)))
    loss = loss + points.square().mean();
  return loss;
}

TEST(Network, EveryParameterLearns) {
  for (const auto initial : {model::InitialShape::heatmap, model::InitialShape::projection}) {
    torch::manual_seed(11);
    SpigaNetwork network(small_config(initial));
    network->set_training(true, true);
    loss_of(network, pictures(3)).backward();
    for (const auto& item : network->named_parameters())
      EXPECT_TRUE(item.value().grad().defined() && item.value().grad().abs().sum().item<double>() > 0)
          << item.key();
  }
}

// All gradients together, for mistakes in how operations are put together; each is held tighter in
// fused_test.cc. LibTorch's channels-last batch-norm is off by 1e-5, which gradients amplify a thousandfold.
TEST(Network, FusedAndComposedGradientsAgree) {
  torch::manual_seed(12);
  SpigaNetwork network(small_config(model::InitialShape::heatmap));
  network->set_training(true, true);
  const torch::Tensor images = pictures(6);
  const auto gradients = [&](bool fused) {
    set_fused(fused);
    network->zero_grad();
    loss_of(network, images).backward();
    set_fused(true);
    std::vector<torch::Tensor> all;
    for (const torch::Tensor& parameter : network->parameters())
      all.push_back(parameter.grad().flatten().clone());
    return torch::cat(all);
  };
  const torch::Tensor composed = gradients(false);
  EXPECT_LT((gradients(true) - composed).norm().item<double>(), 0.15 * composed.norm().item<double>());
}

TEST(Network, PartsTrainApart) {
  SpigaNetwork network(small_config(model::InitialShape::heatmap));
  network->set_training(false, true);
  const torch::Tensor images = pictures(2);
  const auto before = network->named_buffers()["visual_cnn.pre.1.bn.running_mean"].clone();
  const auto encoder = network->named_buffers()["shape_encoder.0.encoder.1.running_mean"].clone();
  BackboneOutput output;
  {
    torch::NoGradGuard no_grad;
    output = network->backbone(images, false);
  }
  network->cascade(output.field, network->initial_landmarks(output));
  EXPECT_TRUE(torch::equal(network->named_buffers()["visual_cnn.pre.1.bn.running_mean"], before));
  EXPECT_FALSE(torch::equal(network->named_buffers()["shape_encoder.0.encoder.1.running_mean"], encoder));
  const std::size_t parts = network->backbone_parameters().size() + network->cascade_parameters().size();
  EXPECT_EQ(parts, network->parameters().size());
}

TEST(Network, CascadeLearnsToMoveLandmarks) {
  torch::manual_seed(14);
  SpigaNetwork network(small_config(model::InitialShape::heatmap));
  network->set_training(false, true);
  network->set_compute_dtype(torch::kBFloat16);
  const torch::Tensor field = torch::rand({4, 16, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
  const torch::Tensor start = torch::rand({4, 68, 2}) * 0.6 + 0.2;
  const torch::Tensor target = start + (torch::rand({4, 68, 2}) - 0.5) * 0.05;
  torch::optim::Adam optimizer(network->cascade_parameters(), 3e-3);
  double first = 0, last = 0;
  for (int i = 0; i < 60; ++i) {
    optimizer.zero_grad();
    torch::Tensor loss = torch::zeros({});
    for (const torch::Tensor& points : network->cascade(field, start))
      loss = loss + (points - target).abs().mean();
    loss.backward();
    optimizer.step();
    (i == 0 ? first : last) = loss.item<double>();
  }
  EXPECT_LT(last, 0.5 * first);
}

TEST(Network, Bfloat16FollowsFloat32) {
  torch::manual_seed(13);
  torch::NoGradGuard no_grad;
  SpigaNetwork network(small_config(model::InitialShape::heatmap));
  network->eval();
  const torch::Tensor images = pictures(2);
  const auto landmarks = [&] {
    const BackboneOutput output = network->backbone(images, false);
    return network->cascade(output.field, network->initial_landmarks(output)).back();
  };
  const torch::Tensor exact = landmarks();
  network->set_compute_dtype(torch::kBFloat16);
  EXPECT_LT((landmarks() - exact).abs().max().item<double>(), 0.01);
}

TEST(Network, SoftArgmaxFindsThePeak) {
  torch::Tensor heat = torch::zeros({1, 1, 8, 8});
  heat[0][0][2][5] = 100;
  const torch::Tensor point = soft_argmax(heat)[0][0];
  EXPECT_NEAR(point[0].item<double>(), 5.5 / 8, 1e-6);
  EXPECT_NEAR(point[1].item<double>(), 2.5 / 8, 1e-6);
}

}  // namespace
}  // namespace spiga::train
