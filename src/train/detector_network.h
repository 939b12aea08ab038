// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "model/detector_config.h"
#include "train/modules.h"

namespace spiga::train {

// The detector of docs/detector.md in LibTorch, same tensor names as the model file.
class DetectorNetwork : public torch::nn::Module {
 public:
  explicit DetectorNetwork(const model::DetectorConfig& config);

  // blocks [N, 12, H / 2, W / 2], channels-last, in the type to compute in; H and W multiples of 32. Returns
  // [N, cells, kOutputs] float32, the cells of all levels one after another (model::cell_grids).
  torch::Tensor forward(const torch::Tensor& blocks);

  const model::DetectorConfig& config() const { return config_; }

 private:
  struct Stage;
  struct Head;

  model::DetectorConfig config_;
  std::shared_ptr<ConvUnit> stem_;
  std::vector<std::shared_ptr<Stage>> stages_;
  std::vector<std::shared_ptr<ConvUnit>> laterals_;
  std::vector<std::shared_ptr<Head>> heads_;
};

// Pictures [N, H, W, 3] of 8 bits, B G R, as blocks [N, 12, H / 2, W / 2] in [0, 1]: channels (row, column,
// colour), colours fastest.
torch::Tensor blocks_of(const torch::Tensor& pictures, torch::ScalarType type);

}  // namespace spiga::train
