// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/config.h"
#include "train/network.h"
#include "train/optimizer.h"

namespace spiga::train {

// Where a run stands; with the tensors, all that an exact resume needs.
struct CheckpointMeta {
  int stage = 0;
  std::int64_t step = 0;  // steps of the stage already taken
  std::int64_t optimizer_steps = 0;
  double smooth_loss = 0;
  double seconds = 0;  // trained so far
  int batch = 0;       // faces a step; 0: not known (checkpoints of earlier versions)
  model::NetworkConfig network = {};
};

// What a training step changes.
struct TrainingState {
  const FlatParameters& parameters;
  const FlatTensors& buffers;
  AdamWState& adamw;
  torch::Tensor average;           // of the parameters, [P]
  torch::Tensor averaged_buffers;  // [B]
};

// One safetensors file, written whole or not at all: averaged weights under the tensors' own names (so a
// checkpoint reads like a model file), live weights under "live/", the optimiser's moments under "adamw/".
void save_checkpoint(const std::string& path, const TrainingState& state, const CheckpointMeta& meta);

// Fills the state. Throws Error(bad_data) naming the difference where the checkpoint's network is not
// `expected`.
CheckpointMeta load_checkpoint(const std::string& path, const TrainingState& state,
                               const model::NetworkConfig& expected);

// The same for another kind of network, whose configuration (JSON) stands in the metadata under `key`;
// meta.network is not used.
void save_checkpoint(const std::string& path, const TrainingState& state, const CheckpointMeta& meta,
                     const std::string& key, const std::string& config);
CheckpointMeta load_checkpoint(const std::string& path, const TrainingState& state, const std::string& key,
                               const std::string& expected_config);

// Takes over every (averaged) tensor of a checkpoint or model file that the network has under the same name
// and shape; returns the names of the network's tensors that found none.
std::vector<std::string> load_matching_weights(const std::string& path, const torch::nn::Module& network);

}  // namespace spiga::train
