// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "train/detector_samples.h"

namespace spiga::train {

struct DetectorLossWeights {
  double score = 1;
  double box = 2;
  double points = 0.5;
  double inexact_box = 0.3;  // of boxes that are only about where the landmarks' box is, a part of `box`
  double quality_power = 1;  // the score's target is the box's IoU to this power
};

// A cell that is to find a face.
struct AssignedCell {
  std::int64_t cell = 0;  // among all levels' cells of the sample
  std::size_t face = 0;
};

struct Assignment {
  std::vector<AssignedCell> positives;
  std::vector<std::int64_t> ignored;  // cells that nothing is asked of
};

// Which cells are to find which faces, as SimOTA does (Ge et al., YOLOX, 2021): of the cells near a face's
// centre, those whose present answer fits best; the better the answers, the more of them. `outputs` [cells,
// kOutputs] of the sample.
Assignment assign_cells(const DetectorSample& sample, const float* outputs);

struct DetectorLoss {
  torch::Tensor total;
  std::map<std::string, torch::Tensor> parts;  // detached
};

// Quality focal loss of the scores (Li et al., 2020), whose target is the box's IoU to a power; DIoU loss of
// the boxes (Zheng et al., 2020); smooth L1 of the points that are known, in sides of the face. `outputs` [N,
// cells, kOutputs] float32 for N samples of one side.
DetectorLoss detector_loss(const torch::Tensor& outputs, const std::vector<DetectorSample>& samples,
                           const DetectorLossWeights& weights);

}  // namespace spiga::train
