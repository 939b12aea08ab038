// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/detector_config.h"
#include "train/detector_loss.h"
#include "train/detector_samples.h"
#include "train/optimizer.h"

namespace spiga::train {

// A recipe whose first line says kind = "detector".
struct DetectorTrainConfig {
  model::DetectorConfig network;         // [network]
  std::vector<std::string> train_data;   // [data] train: files of `spiga pack --scenes`, one or a list
  std::vector<double> train_shares;      // [data] shares: how often scenes are drawn from each, of any sum
  std::string valid_data;                // [data] valid; may be empty
  std::string folder = "runs/detector";  // [run] checkpoints and logs go here
  std::uint64_t seed = 1;
  int threads = 1;
  bool bf16 = true;
  double checkpoint_minutes = 5;
  double validate_minutes = 10;
  int log_steps = 20;
  std::int64_t steps = 10'000;
  // A step takes as many pictures of one of these sides as have `batch_pixels` together.
  std::vector<double> sides = {320, 448};
  std::vector<double> side_shares = {0.7, 0.3};
  std::int64_t batch_pixels = 16 * 320 * 320;
  double learning_rate = 2e-3;
  double final_learning_rate = 2e-5;
  std::int64_t warmup_steps = 200;
  double weight_decay = 0.02;
  double clip_norm = 10;
  double ema_decay = 0.998;
  DetectorLossWeights loss;  // [loss]
  DetectorAugment augment;   // [augment]
  AdamWOptions optimizer;
};

// Whether the recipe is one of a detector. Throws what reading it throws.
bool is_detector_recipe(const std::string& path);

// Reads and checks a TOML file. Unknown keys, wrong types and values out of range throw Error(bad_data)
// naming file, line and key.
DetectorTrainConfig read_detector_config(const std::string& path);

}  // namespace spiga::train
