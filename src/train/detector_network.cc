// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/detector_network.h"

#include <torch/nn/init.h>
#include <torch/types.h>

#include <cmath>
#include <string>

namespace spiga::train {
namespace {

constexpr int kLevels = model::DetectorConfig::kLevels;
constexpr int kBlock = model::DetectorConfig::kBlock;
constexpr double kFirstScore = 0.01;  // what untrained cells say
constexpr double kFirstSize = 4;      // strides that untrained boxes are wide

// y = relu(x + norm(conv(relu(norm(conv(x))))))
class ResidualBlock : public torch::nn::Module {
 public:
  explicit ResidualBlock(std::int64_t width)
      : unit_(register_module("unit", std::make_shared<ConvUnit>(width, width, 3, 1))),
        conv_(register_module("conv", std::make_shared<Convolution>(width, width, 3, 1))),
        bn_(register_module("bn", std::make_shared<BatchNorm>(width))) {}

  torch::Tensor forward(const torch::Tensor& x) {
    return bn_->forward(conv_->forward(unit_->forward(x)), Activation::none).add_(x).relu_();
  }

 private:
  std::shared_ptr<ConvUnit> unit_;
  std::shared_ptr<Convolution> conv_;
  std::shared_ptr<BatchNorm> bn_;
};

torch::Tensor enlarged(const torch::Tensor& x) {
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

}  // namespace

// Halves the map, then residual blocks.
struct DetectorNetwork::Stage : torch::nn::Module {
  Stage(std::int64_t in, std::int64_t out, int count)
      : down(register_module("down", std::make_shared<ConvUnit>(in, out, 3, 2))) {
    for (int i = 0; i < count; ++i)
      blocks.push_back(register_module("block" + std::to_string(i), std::make_shared<ResidualBlock>(out)));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = down->forward(x);
    for (const auto& block : blocks) x = block->forward(x);
    return x;
  }

  std::shared_ptr<ConvUnit> down;
  std::vector<std::shared_ptr<ResidualBlock>> blocks;
};

// What the cells of a level say: [N, cells, kOutputs].
struct DetectorNetwork::Head : torch::nn::Module {
  static constexpr std::int64_t kOutputs = model::DetectorConfig::kOutputs;

  explicit Head(std::int64_t width)
      : unit(register_module("unit", std::make_shared<ConvUnit>(width, width, 3, 1))) {
    weight = register_parameter("weight", torch::empty({kOutputs, width, 1, 1}));
    bias = register_parameter("bias", torch::zeros(kOutputs));
    torch::nn::init::normal_(weight, 0, 0.01);
    torch::NoGradGuard no_grad;
    bias[0].fill_(std::log(kFirstScore / (1 - kFirstScore)));
    bias.narrow(0, 3, 2).fill_(std::log(kFirstSize));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor y = unit->forward(x);
    const torch::Tensor rows = y.permute({0, 2, 3, 1}).reshape({-1, y.size(1)});
    const auto type = rows.scalar_type();
    return at::linear(rows, weight.view({kOutputs, -1}).to(type), bias.to(type))
        .to(torch::kFloat32)
        .view({x.size(0), -1, kOutputs});
  }

  std::shared_ptr<ConvUnit> unit;
  torch::Tensor weight, bias;
};

DetectorNetwork::DetectorNetwork(const model::DetectorConfig& config) : config_(config) {
  std::int64_t in = config.stem_width;
  stem_ = register_module("stem", std::make_shared<ConvUnit>(3 * kBlock * kBlock, in, 3, 2));
  for (std::size_t level = 0; level < kLevels; ++level) {
    const std::string number = std::to_string(level);
    const std::int64_t width = config.width[level];
    stages_.push_back(
        register_module("stage" + number, std::make_shared<Stage>(in, width, config.blocks[level])));
    laterals_.push_back(
        register_module("lateral" + number, std::make_shared<ConvUnit>(width, config.neck, 1, 1)));
    heads_.push_back(register_module("head" + number, std::make_shared<Head>(config.neck)));
    in = width;
  }
}

torch::Tensor DetectorNetwork::forward(const torch::Tensor& blocks) {
  torch::Tensor x = stem_->forward(blocks);
  std::vector<torch::Tensor> pyramid;
  for (std::size_t level = 0; level < kLevels; ++level) {
    x = stages_[level]->forward(x);
    pyramid.push_back(laterals_[level]->forward(x));
  }
  for (std::size_t level = kLevels - 1; level > 0; --level)
    pyramid[level - 1] = pyramid[level - 1] + enlarged(pyramid[level]);
  std::vector<torch::Tensor> outputs;
  for (std::size_t level = 0; level < kLevels; ++level)
    outputs.push_back(heads_[level]->forward(pyramid[level]));
  return torch::cat(outputs, 1);
}

torch::Tensor blocks_of(const torch::Tensor& pictures, torch::ScalarType type) {
  const std::int64_t n = pictures.size(0), height = pictures.size(1) / kBlock,
                     width = pictures.size(2) / kBlock;
  return pictures.view({n, height, kBlock, width, kBlock, 3})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({n, height, width, kBlock * kBlock * 3})
      .to(torch::kFloat32)
      .div_(255)
      .to(type)
      .permute({0, 3, 1, 2});
}

}  // namespace spiga::train
