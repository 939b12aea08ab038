// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/modules.h"

#include <torch/nn/init.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>

namespace spiga::train {
namespace {

// Uniform with variance 1 / (3 fan_in): keeps a sum of a few such terms near unit size.
void init_uniform(torch::Tensor weight, std::int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  torch::nn::init::uniform_(weight, -bound, bound);
}

// Normal with variance 2 / fan_in: keeps the variance through a ReLU.
void init_kaiming(torch::Tensor weight, std::int64_t fan_in) {
  torch::nn::init::normal_(weight, 0, std::sqrt(2 / static_cast<double>(fan_in)));
}

}  // namespace

Convolution::Convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride)
    : stride_(stride), padding_((kernel - 1) / 2) {
  weight = register_parameter("weight", torch::empty({out, in, kernel, kernel}));
  init_kaiming(weight, in * kernel * kernel);
}

torch::Tensor Convolution::forward(const torch::Tensor& x) {
  return at::conv2d(x, weight.to(x.scalar_type()), {}, stride_, padding_);
}

BatchNorm::BatchNorm(std::int64_t channels) {
  weight = register_parameter("weight", torch::ones(channels));
  bias = register_parameter("bias", torch::zeros(channels));
  running_mean = register_buffer("running_mean", torch::zeros(channels));
  running_var = register_buffer("running_var", torch::ones(channels));
}

torch::Tensor BatchNorm::forward(const torch::Tensor& x, Activation activation) {
  return normalize(x, norm(), activation);
}

ConvUnit::ConvUnit(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride)
    : conv_(register_module("conv", std::make_shared<Convolution>(in, out, kernel, stride))),
      bn_(register_module("bn", std::make_shared<BatchNorm>(out))) {}

torch::Tensor ConvUnit::forward(const torch::Tensor& x) {
  return bn_->forward(conv_->forward(x), Activation::relu);
}

Projection::Projection(std::int64_t in, std::int64_t out)
    : conv_(register_module("conv", std::make_shared<Convolution>(in, out, 1, 1))) {
  init_uniform(conv_->weight, in);
}

torch::Tensor Projection::forward(const torch::Tensor& x) { return conv_->forward(x); }

Deconvolution::Deconvolution(std::int64_t channels) {
  weight = register_parameter("weight", torch::empty({channels, channels, 2, 2}));
  init_kaiming(weight, channels);
}

torch::Tensor Deconvolution::forward(const torch::Tensor& x) {
  const std::int64_t channels = weight.size(1);
  const torch::Tensor pointwise =
      weight.to(x.scalar_type()).permute({2, 3, 1, 0}).reshape({4 * channels, weight.size(0), 1, 1});
  return at::conv2d(x, pointwise);
}

DeconvUnit::DeconvUnit(std::int64_t channels)
    : deconv_(register_module("deconv", std::make_shared<Deconvolution>(channels))),
      bn_(register_module("bn", std::make_shared<BatchNorm>(channels))) {}

torch::Tensor DeconvUnit::forward(const torch::Tensor& x, const torch::Tensor& add) {
  return normalize_shuffled(deconv_->forward(x), bn_->norm(), Activation::relu, add);
}

Residual::Residual(std::int64_t in, std::int64_t out) {
  bn1_ = register_module("bn1", std::make_shared<BatchNorm>(in));
  conv1_ = register_module("conv1", std::make_shared<Projection>(in, out / 2));
  bn2_ = register_module("bn2", std::make_shared<BatchNorm>(out / 2));
  conv2_holder_ = register_module("conv2", std::make_shared<torch::nn::Module>());
  conv2_ = conv2_holder_->register_module("conv", std::make_shared<Convolution>(out / 2, out / 2, 3, 1));
  bn3_ = register_module("bn3", std::make_shared<BatchNorm>(out / 2));
  conv3_ = register_module("conv3", std::make_shared<Projection>(out / 2, out));
  if (in != out) skip_ = register_module("skip_layer", std::make_shared<Projection>(in, out));
}

torch::Tensor Residual::forward(const torch::Tensor& x) {
  const auto [active, same] = normalize_and_fork(x, bn1_->norm(), Activation::relu);
  torch::Tensor y = conv1_->forward(active);
  y = conv2_->forward(bn2_->forward(y, Activation::relu));
  y = conv3_->forward(bn3_->forward(y, Activation::relu));
  return y.add_(skip_ ? skip_->forward(same) : same);
}

Hourglass::Hourglass(std::int64_t depth, std::int64_t channels) {
  up1_ = register_module("up1", std::make_shared<Residual>(channels, channels));
  pool1_ = register_module("pool1", std::make_shared<ConvUnit>(channels, channels, 2, 2));
  low1_ = register_module("low1", std::make_shared<Residual>(channels, channels));
  if (depth > 1)
    inner_ = register_module("low2", std::make_shared<Hourglass>(depth - 1, channels));
  else
    low2_ = register_module("low2", std::make_shared<Residual>(channels, channels));
  low3_ = register_module("low3", std::make_shared<Residual>(channels, channels));
  up2_ = register_module("up2", std::make_shared<DeconvUnit>(channels));
}

torch::Tensor Hourglass::forward(const torch::Tensor& x, torch::Tensor& core) {
  torch::Tensor low = low1_->forward(pool1_->forward(x));
  low = inner_ ? inner_->forward(low, core) : (core = low2_->forward(low));
  return up2_->forward(low3_->forward(low), up1_->forward(x));
}

Dense::Dense(std::int64_t in, std::int64_t out) {
  weight = register_parameter("weight", torch::empty({out, in, 1}));
  bias = register_parameter("bias", torch::empty(out));
  init_uniform(weight, in);
  torch::nn::init::zeros_(bias);
}

torch::Tensor Dense::forward(const torch::Tensor& rows) {
  const auto type = rows.scalar_type();
  return at::linear(rows, weight.squeeze(2).to(type), bias.to(type));
}

Mlp::Mlp(const std::vector<std::int64_t>& widths) {
  for (std::size_t i = 1; i < widths.size(); ++i) {
    const auto index = static_cast<std::int64_t>(3 * (i - 1));
    auto dense = std::make_shared<Dense>(widths[i - 1], widths[i]);
    if (i + 1 < widths.size()) init_kaiming(dense->weight, widths[i - 1]);
    dense_.push_back(register_module(std::to_string(index), dense));
    if (i + 1 < widths.size())
      norm_.push_back(register_module(std::to_string(index + 1), std::make_shared<BatchNorm>(widths[i])));
  }
}

torch::Tensor Mlp::forward(torch::Tensor rows) {
  for (std::size_t i = 0; i < norm_.size(); ++i)
    rows = norm_[i]->forward(dense_[i]->forward(rows), Activation::relu);
  return dense_.back()->forward(rows);
}

GraphAttention::GraphAttention(std::int64_t in, std::int64_t out, std::int64_t heads) : heads_(heads) {
  if (in != out) {
    auto reshape = register_module("reshape", std::make_shared<Group>());
    reshape_ = reshape->add(0, std::make_shared<Dense>(in, out));
  }
  auto attention = register_module("attention", std::make_shared<torch::nn::Module>());
  auto attn = attention->register_module("attn", std::make_shared<torch::nn::Module>());
  auto proj = attn->register_module("proj", std::make_shared<Group>());
  query_ = proj->add(0, std::make_shared<Dense>(in, in));
  key_ = proj->add(1, std::make_shared<Dense>(in, in));
  value_ = proj->add(2, std::make_shared<Dense>(in, in));
  merge_ = attn->register_module("merge", std::make_shared<Dense>(in, in));
  mlp_ = attention->register_module("mlp",
                                    std::make_shared<Mlp>(std::vector<std::int64_t>{2 * in, 2 * in, out}));
}

// Queries, keys and values come out of one multiplication.
torch::Tensor GraphAttention::heads_of(const torch::Tensor& rows, std::int64_t nodes) {
  const torch::Tensor weight = at::cat({query_->weight, key_->weight, value_->weight}).squeeze(2);
  const torch::Tensor bias = at::cat({query_->bias, key_->bias, value_->bias});
  const auto type = rows.scalar_type();
  return attend(at::linear(rows, weight.to(type), bias.to(type)), nodes, heads_);
}

torch::Tensor GraphAttention::forward(const torch::Tensor& x) {
  const std::int64_t faces = x.size(0), nodes = x.size(1);
  const torch::Tensor rows = x.reshape({faces * nodes, x.size(2)});
  const torch::Tensor message = mlp_->forward(at::cat({rows, merge_->forward(heads_of(rows, nodes))}, 1));
  const torch::Tensor y = (reshape_ ? reshape_->forward(rows) : rows) + message;
  return y.view({faces, nodes, y.size(1)});
}

}  // namespace spiga::train
