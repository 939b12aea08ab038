// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/config.h"
#include "train/network.h"
#include "train/packed.h"
#include "train/validation.h"

namespace spiga::train {

// What the loop reports after every step that is worth a line.
struct StepReport {
  int stage = 0;
  std::int64_t step = 0;   // 0-based within the stage
  std::int64_t steps = 0;  // of the stage
  double learning_rate = 0;
  double loss = 0;
  double gradient_norm = 0;
  double faces_per_second = 0;
  double eta_seconds = 0;                // to the end of all stages
  std::map<std::string, double> losses;  // by name, unweighted parts
};

struct TrainEvents {
  std::function<void(const StepReport&)> on_step;
  std::function<void(const StepReport&, const Validation&)> on_validation;
  std::function<void(const std::string& path)> on_checkpoint;
};

enum class TrainOutcome { finished, interrupted };

// Trains one network through its stages. One object, one thread; `stop` may be set from anywhere (a signal
// handler).
class Trainer {
 public:
  Trainer(TrainConfig config, TrainEvents events);
  ~Trainer();

  // Goes on exactly where the checkpoint left off. Throws Error(bad_data) naming the difference where it was
  // made by another network.
  void resume(const std::string& checkpoint);
  // Starts from the weights of a checkpoint or model file: tensors of the same name and shape are taken over.
  // Returns the names that were not.
  std::vector<std::string> load_weights(const std::string& path);

  // Trains to the end of the last stage, or until `stop` is set: then it writes a checkpoint and returns.
  // Throws Error when the loss is not finite; the last checkpoint is kept.
  TrainOutcome run(const std::atomic<bool>& stop);

  // Where checkpoints go: FOLDER/checkpoint.safetensors.
  std::string checkpoint_path() const;
  SpigaNetwork network();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spiga::train
