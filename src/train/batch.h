// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

namespace spiga::train {

// N training samples, all tensors on one device.
struct Batch {
  torch::Tensor images;     // [N, 3, S, S] float32 in [0, 1], channels B G R, channels-last memory
  torch::Tensor landmarks;  // [N, L, 2] float32 (x, y), crop pixels / S
  torch::Tensor visible;    // [N, L] float32: 1 where the landmark is annotated, else 0 (no loss there)
  torch::Tensor pose;       // [N, 6] float32: yaw, pitch, roll in degrees, tx, ty, tz; 0 where has_pose is 0
  torch::Tensor has_pose;   // [N] float32, 0 or 1
};

}  // namespace spiga::train
