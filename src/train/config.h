// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "train/augment.h"
#include "train/losses.h"
#include "train/optimizer.h"

namespace spiga::train {

// What a stage trains; the rest is frozen, its batch-norms in inference mode.
enum class Part { backbone, cascade, all };

enum class Schedule { constant, cosine, step };

// How the cascade's start is varied in training, so that it learns from starts that are as wrong as those of
// faces it has not seen. Lengths in crop units.
struct StartVariation {
  double projection = 0;   // share of the faces that start from the projection of the told pose
  double noise = 0;        // share of the faces whose start is moved by what follows, all normal
  double shift = 0.02;     // standard deviation of the shape's move along x and y
  double size = 0.05;      // of the logarithm of its size
  double turn_deg = 4;     // of its rotation
  double landmark = 0.01;  // of every landmark's own move along x and y
};

// One [[stage]] of the recipe.
struct StageConfig {
  std::string name = "stage";
  Part part = Part::backbone;
  std::int64_t faces = 100'000;    // length: training faces seen, all processes together
  double learning_rate = 1e-3;     // after warm-up
  double final_learning_rate = 0;  // where the cosine ends
  Schedule schedule = Schedule::cosine;
  std::vector<double> step_at = {0.8};  // schedule "step": fractions of the stage ...
  double step_factor = 0.1;             // ... at which the rate is multiplied by this
  std::int64_t warmup_steps = 100;
  double weight_decay = 1e-4;
  double clip_norm = 5;
  double ema_decay = 0.995;        // of the averaged weights, which are validated and exported
  bool frozen_batch_norm = false;  // batch-norms keep their statistics (for a joint fine-tune)
  BackboneLossWeights loss;        // [stage.loss]; the pose loss is off where its weight is 0
  double cascade_weight = 1;       // of the cascade's loss where part is "all"
  double cascade_beta = 1;         // where its smooth-L1 turns linear, in 64ths of the crop
  StartVariation start;            // of the cascade's start
  AugmentOptions augment;          // [stage.augment]; [augment] gives the defaults of every stage
};

struct TrainConfig {
  model::NetworkConfig network;       // [network]; `preset` names a configuration to start from
  std::string train_data;             // [data] train: a file of `spiga pack`
  std::string valid_data;             // [data] valid
  std::string folder = "runs/train";  // [run] checkpoints, logs and reports go here
  std::uint64_t seed = 1;
  int threads = 1;             // per process
  int batch = 16;              // faces per step, all processes together
  bool bf16 = true;            // activations and multiplications; weights and sums stay float32
  std::string device = "cpu";  // or "cuda" (the process's own of its machine's), "cuda:1"
  double checkpoint_minutes = 5;
  double validate_minutes = 10;
  int log_steps = 20;  // steps per line of log.csv
  AdamWOptions optimizer;
  std::vector<StageConfig> stages;
};

// Reads and checks a TOML file. Unknown keys, wrong types and values out of range throw Error(bad_data)
// naming file, line and key.
TrainConfig read_train_config(const std::string& path);

// Learning rate of 0-based step `step` of `steps` in a stage.
double learning_rate_at(const StageConfig& stage, std::int64_t step, std::int64_t steps);

}  // namespace spiga::train
