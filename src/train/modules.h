// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/fused.h"

// Blocks of docs/network.md, section 2. Weights are float32 masters; a block computes in the type of the
// activations it is given (float32 or bfloat16), and casts its weights to it. Activations of the CNN are
// [N, C, H, W] in channels-last memory. Sums over a batch (batch-norm statistics) are float32 always.
namespace spiga::train {

// Numbered children: names "0", "1", ... or with gaps, as the published checkpoints have them.
class Group : public torch::nn::Module {
 public:
  template <typename M>
  std::shared_ptr<M> add(std::int64_t index, std::shared_ptr<M> module) {
    return register_module(std::to_string(index), std::move(module));
  }
};

// Convolution without bias, padding (kernel - 1) / 2.
class Convolution : public torch::nn::Module {
 public:
  Convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& x);

  torch::Tensor weight;  // [out, in, kernel, kernel]

 private:
  std::int64_t stride_;
  std::int64_t padding_;
};

// Batch normalisation over [N, C, H, W] or over the rows of [N, C], then the activation. Momentum 0.1, eps
// 1e-5.
class BatchNorm : public torch::nn::Module {
 public:
  explicit BatchNorm(std::int64_t channels);
  torch::Tensor forward(const torch::Tensor& x, Activation activation);
  Norm norm() const { return {weight, bias, running_mean, running_var, is_training()}; }

  torch::Tensor weight;        // [C]
  torch::Tensor bias;          // [C]
  torch::Tensor running_mean;  // [C]
  torch::Tensor running_var;   // [C]
};

// "Conv(a, b, k, s)": convolution, batch-norm, ReLU.
class ConvUnit : public torch::nn::Module {
 public:
  ConvUnit(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  std::shared_ptr<Convolution> conv_;
  std::shared_ptr<BatchNorm> bn_;
};

// A bare 1 x 1 convolution, published as NAME.conv.weight.
class Projection : public torch::nn::Module {
 public:
  Projection(std::int64_t in, std::int64_t out);
  torch::Tensor forward(const torch::Tensor& x);
  const torch::Tensor& weight() const { return conv_->weight; }

 private:
  std::shared_ptr<Convolution> conv_;
};

// 2 x 2 transposed convolution of stride 2, computed as a 1 x 1 convolution to 4 C channels and
// depth-to-space.
class Deconvolution : public torch::nn::Module {
 public:
  explicit Deconvolution(std::int64_t channels);
  // [N, (2, 2, C), H, W]: what depth_to_space makes [N, C, 2 H, 2 W] of.
  torch::Tensor forward(const torch::Tensor& x);

  torch::Tensor weight;  // [in, out, 2, 2]
};

// Transposed convolution, batch-norm, ReLU.
class DeconvUnit : public torch::nn::Module {
 public:
  explicit DeconvUnit(std::int64_t channels);
  // add + the unit's output.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& add);

 private:
  std::shared_ptr<Deconvolution> deconv_;
  std::shared_ptr<BatchNorm> bn_;
};

// Pre-activation bottleneck. `skip_layer` exists only where in != out (published checkpoints carry an unused
// one elsewhere).
class Residual : public torch::nn::Module {
 public:
  Residual(std::int64_t in, std::int64_t out);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  std::shared_ptr<BatchNorm> bn1_, bn2_, bn3_;
  std::shared_ptr<Projection> conv1_, conv3_, skip_;
  std::shared_ptr<torch::nn::Module> conv2_holder_;
  std::shared_ptr<Convolution> conv2_;
};

// Hourglass(depth, channels).
class Hourglass : public torch::nn::Module {
 public:
  Hourglass(std::int64_t depth, std::int64_t channels);
  // Returns the output and sets `core` to the innermost map.
  torch::Tensor forward(const torch::Tensor& x, torch::Tensor& core);

 private:
  std::shared_ptr<Residual> up1_, low1_, low2_, low3_;
  std::shared_ptr<ConvUnit> pool1_;
  std::shared_ptr<Hourglass> inner_;
  std::shared_ptr<DeconvUnit> up2_;
};

// Dense layer over rows, published as a 1 x 1 Conv1d: weight [out, in, 1].
class Dense : public torch::nn::Module {
 public:
  Dense(std::int64_t in, std::int64_t out);
  torch::Tensor forward(const torch::Tensor& rows);

  torch::Tensor weight;  // [out, in, 1]
  torch::Tensor bias;    // [out]
};

// Dense -> BatchNorm -> ReLU ... -> Dense over rows [R, widths.front()]; children are numbered as in the
// published Sequential (0 dense, 1 norm, 3 dense, ...).
class Mlp : public torch::nn::Module {
 public:
  explicit Mlp(const std::vector<std::int64_t>& widths);
  torch::Tensor forward(torch::Tensor rows);
  Dense& last() { return *dense_.back(); }

 private:
  std::vector<std::shared_ptr<Dense>> dense_;
  std::vector<std::shared_ptr<BatchNorm>> norm_;
};

// One layer of graph attention over the nodes of a face: [N, L, in] -> [N, L, out].
class GraphAttention : public torch::nn::Module {
 public:
  GraphAttention(std::int64_t in, std::int64_t out, std::int64_t heads);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::Tensor heads_of(const torch::Tensor& rows, std::int64_t nodes);

  std::int64_t heads_;
  std::shared_ptr<Dense> query_, key_, value_, merge_, reshape_;
  std::shared_ptr<Mlp> mlp_;
};

}  // namespace spiga::train
