// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "train/network.h"
#include "train/packed.h"

namespace spiga::train {

// Whether to leave what is under way; asked now and then.
using StopAsked = std::function<bool()>;

// How well a network does on a packed set, with the network's present weights, in inference mode.
struct Validation {
  double nme = 0;           // per cent, norm "corners", mean over faces
  double failure_rate = 0;  // per cent of faces with NME over 8
  double initial_nme = 0;   // of where the cascade starts (equals nme where no cascade was run)
  double yaw_deg = 0;       // mean absolute errors of the pose
  double pitch_deg = 0;
  double roll_deg = 0;
  double pose_deg = 0;                             // their mean
  std::vector<double> face_nme;                    // [faces]
  std::vector<std::vector<float>> face_landmarks;  // [faces][2 L] crop units, for drawing
};

// Runs the backbone alone (landmarks from the last stack's maps) or the cascade too. Leaves the network in
// inference mode. Nothing where `stop` said so before the end.
std::optional<Validation> validate(SpigaNetwork network, const FaceDataset& faces, bool with_cascade,
                                   int batch, torch::Device device, const StopAsked& stop);

}  // namespace spiga::train
