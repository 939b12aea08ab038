// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "model/config.h"

namespace spiga::train {

// What the backbone says of a batch, one entry per stack where it is a vector; M = map size.
struct BackboneOutput {
  // [N, L, M, M] landmark maps, float32: outs_features * points * near (soft-argmax logits)
  std::vector<torch::Tensor> heat;
  std::vector<torch::Tensor> points;  // [N, L, M, M] in (0, 1), of the compute type
  std::vector<torch::Tensor> edges;   // [N, E, M, M] in (0, 1), of the compute type
  std::vector<torch::Tensor> pose;    // [N, 6] degrees and translations
  torch::Tensor field;                // [N, C, M, M], the last stack's visual field
};

// The network of docs/network.md in LibTorch, same tensor names as the model file. Training-only heads (the
// last stack's maps unless initial_shape is heatmap, pose heads of the other stacks) are modules too and are
// left out by export.
class SpigaNetworkImpl : public torch::nn::Module {
 public:
  explicit SpigaNetworkImpl(const model::NetworkConfig& config);
  ~SpigaNetworkImpl() override;

  // images [N, 3, S, S] float32 in [0, 1], B G R. With `heads` false only what the cascade needs is computed
  // (heat holds the last stack's map where initial_shape is heatmap, pose the last stack's pose).
  BackboneOutput backbone(const torch::Tensor& images, bool heads = true);

  // Where the cascade starts: [N, L, 2] in crop units, without gradient.
  torch::Tensor initial_landmarks(const BackboneOutput& output);

  // The mean face under the pose that the last stack tells: [N, L, 2] in crop units, without gradient.
  torch::Tensor projected_landmarks(const BackboneOutput& output);

  // Landmarks after each step, [N, L, 2] in crop units. Steps' starting points carry no gradient.
  std::vector<torch::Tensor> cascade(const torch::Tensor& field, const torch::Tensor& initial);

  // Type of the activations and of the weights they meet: float32 (at first) or bfloat16.
  void set_compute_dtype(torch::ScalarType type);

  // Modules of the cascade (shape_encoder, conv_window, gcn) or everything else.
  std::vector<torch::Tensor> cascade_parameters();
  std::vector<torch::Tensor> backbone_parameters();
  // BatchNorm of the frozen part must stay in eval mode while the cascade trains.
  void set_training(bool backbone, bool cascade);

  const model::NetworkConfig& config() const { return config_; }

 private:
  struct Backbone;
  struct CascadeStep;
  void build_cascade();
  torch::Tensor pose_of(std::size_t stack, const torch::Tensor& core);
  torch::Tensor project(const torch::Tensor& pose);

  model::NetworkConfig config_;
  torch::ScalarType compute_ = torch::kFloat32;
  std::shared_ptr<Backbone> visual_cnn_;
  std::vector<std::shared_ptr<torch::nn::Module>> pose_;  // [stacks], the last one is pose_fc
  std::vector<CascadeStep> steps_;
  torch::Tensor world_points_;  // [L, 3]
};
TORCH_MODULE(SpigaNetwork);

// Expectation of softmax(heat) over map cells, [N, L, 2] in crop units: cell j's centre lies at (j + 0.5) /
// M.
torch::Tensor soft_argmax(const torch::Tensor& heat);

}  // namespace spiga::train
