// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}

namespace spiga::train {

// Named tensors as one contiguous float32 vector, of which they become views.
class FlatTensors {
 public:
  explicit FlatTensors(const std::vector<std::pair<std::string, torch::Tensor>>& tensors);

  struct Range {
    std::string name;
    std::int64_t begin;
    std::int64_t size;
    std::vector<std::int64_t> shape;
  };

  torch::Tensor values() const { return values_; }  // [P]
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  torch::Tensor values_;
  std::vector<Range> ranges_;
};

// All parameters of a module in one vector and their gradients in another: optimiser, clipping, moving
// average, all-reduce and checkpoints each become one operation.
class FlatParameters : public FlatTensors {
 public:
  explicit FlatParameters(torch::nn::Module& module);

  torch::Tensor gradients() const { return gradients_; }  // [P]

  // 1 where a parameter of `trained` lies, else 0: [P]. Parameters are recognised by their storage.
  torch::Tensor mask_of(const std::vector<torch::Tensor>& trained) const;

 private:
  torch::Tensor gradients_;
};

// A module's floating-point buffers (batch-norm statistics) likewise.
FlatTensors flat_buffers(torch::nn::Module& module);

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay =
      1e-4;  // decoupled (Loshchilov and Hutter, 2019); on every trained weight that `decay` marks
};

// AdamW over a flat vector. State: first and second moments and the number of steps taken, all in
// checkpoints.
struct AdamWState {
  torch::Tensor mean;      // [P]
  torch::Tensor variance;  // [P]
  std::int64_t steps = 0;
};

// One step on the elements where mask is 1; weight decay where decay is 1 (matrices, not biases and norms).
// Runs on the tensors' device; the CPU path is one fused pass.
void adamw_step(torch::Tensor values, const torch::Tensor& gradients, AdamWState& state,
                const torch::Tensor& mask, const torch::Tensor& decay, double learning_rate,
                const AdamWOptions& options);

// Scales gradients so that their norm over the mask is at most max_norm; returns the norm before, a scalar on
// their device (reading it waits for the device).
torch::Tensor clip_gradients(torch::Tensor gradients, const torch::Tensor& mask, double max_norm);

// average <- decay * average + (1 - decay) * values.
void update_average(torch::Tensor average, const torch::Tensor& values, double decay);

}  // namespace spiga::train
