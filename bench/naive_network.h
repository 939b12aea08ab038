// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "model/config.h"
#include "train/network.h"

namespace spiga::bench {

// The network of docs/network.md as one would write it first: LibTorch's own modules, one call per operation.
// Meant to run under autocast; what ours is compared with.
class NaiveNetworkImpl : public torch::nn::Module {
 public:
  explicit NaiveNetworkImpl(const model::NetworkConfig& config);

  train::BackboneOutput backbone(const torch::Tensor& images);
  torch::Tensor initial_landmarks(const train::BackboneOutput& output);
  std::vector<torch::Tensor> cascade(const torch::Tensor& field, const torch::Tensor& initial);

  // Whether a parameter of this name belongs to the cascade.
  static bool is_of_cascade(const std::string& name);

 private:
  struct Stack {
    torch::nn::AnyModule hourglass;
    torch::nn::Sequential out{nullptr}, core{nullptr};
    torch::nn::Conv2d points{nullptr}, edges{nullptr}, features{nullptr}, merge_preds{nullptr},
        merge_features{nullptr};
    torch::nn::Linear pose{nullptr};
  };
  struct Step {
    torch::nn::Sequential shape{nullptr}, decoder{nullptr};
    torch::nn::Conv2d window{nullptr};
    std::vector<torch::nn::AnyModule> attention;
  };
  torch::Tensor crops(const torch::Tensor& field, const torch::Tensor& points, double window) const;

  model::NetworkConfig config_;
  torch::nn::Sequential stem_{nullptr};
  std::vector<Stack> stacks_;
  std::vector<Step> steps_;
  torch::Tensor coordinates_, incidence_, no_edge_;
};
TORCH_MODULE(NaiveNetwork);

}  // namespace spiga::bench
