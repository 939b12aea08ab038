// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <string>

#include "train/detector_config.h"
#include "train/run.h"
#include "train/trainer.h"

namespace spiga::train {

// What the averaged weights find on whole validation pictures.
struct DetectorValidation {
  double recall = 0;     // of annotated faces, at IoU 0.5 and this threshold
  double threshold = 0;  // the lowest with at most `false_per_picture` boxes that meet no annotated face
  double false_per_picture = 0.1;  // not every face is annotated: more of them are right than wrong, perhaps
  double mean_overlap = 0;         // IoU of the faces that were found
};

struct DetectorEvents {
  std::function<void(const StepReport&)> on_step = {};
  std::function<void(const StepReport&, const DetectorValidation&)> on_validation = {};
  std::function<void(const std::string& message)> on_warning = {};
};

// A whole run of a detector's recipe: trains, and keeps checkpoint.safetensors, log.csv and validation.csv in
// the recipe's folder. One process, one thread that computes and one that makes pictures. Throws Error where
// the loss is not finite; the last checkpoint is kept.
TrainOutcome run_detector_training(const std::string& config_path, const RunOptions& options,
                                   const DetectorEvents& events, const StopAsked& stop);

}  // namespace spiga::train
