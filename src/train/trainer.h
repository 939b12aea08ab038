// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "train/config.h"
#include "train/network.h"
#include "train/packed.h"
#include "train/parallel.h"
#include "train/validation.h"

namespace spiga::train {

// How far a run has come.
struct Position {
  int stage = 0;          // stages before it are done
  std::int64_t step = 0;  // steps taken in this one
};

// What the loop reports after every step.
struct StepReport {
  int stage = 0;
  std::int64_t step = 0;   // 0-based within the stage
  std::int64_t steps = 0;  // of the stage
  std::int64_t faces = 0;  // seen so far, all stages and processes
  double learning_rate = 0;
  double loss = 0;
  double gradient_norm = 0;  // before clipping
  double faces_per_second = 0;
  double eta_seconds = 0;                // to the end of all stages
  double seconds = 0;                    // trained so far, resumed runs included
  std::map<std::string, double> losses;  // by name, unweighted parts
};

// Whoever listens is told in the first process of a data-parallel run only. All may be empty.
struct TrainEvents {
  std::function<void(const StepReport&)> on_step = {};
  std::function<void(const StepReport&, const Validation&)> on_validation = {};
  std::function<void(const std::string& path)> on_checkpoint = {};
  // Something went wrong that the run survives, as one line.
  std::function<void(const std::string& message)> on_warning = {};
};

// Throws Error(invalid_argument) where so many processes cannot share a batch.
void check_batch(const TrainConfig& config, int processes);

enum class TrainOutcome { finished, interrupted };

// Trains one network through its stages. One object, one thread. Given seed, batch and one thread, every
// number comes out the same each time; several processes compute what one would, up to rounding.
class Trainer {
 public:
  // Opens the data and makes a fresh network. `processes` outlives the trainer; null: alone. Throws Error
  // naming what is missing or does not fit (data of another landmark database, a batch that the processes
  // cannot share).
  Trainer(TrainConfig config, TrainEvents events, Processes* processes = nullptr);
  ~Trainer();

  // Goes on exactly where the checkpoint left off. Throws Error(bad_data) naming the difference where it was
  // made by another network or, within a stage, with another batch. Needed in the first process only.
  Position resume(const std::string& checkpoint);
  // Starts from the weights of a checkpoint or model file: tensors of the same name and shape are taken over.
  // Returns the names that were not. Throws Error(bad_data) where that is all of them.
  std::vector<std::string> load_weights(const std::string& path);

  // Trains to the end of the last stage, or until `stop` says so: then it writes a checkpoint and returns.
  // Throws Error when the loss is not finite or jumps; the last checkpoint is kept. A checkpoint that cannot
  // be written on the way is a warning and tried again, the one at the end of a stage or run is an Error(io);
  // the one before stays whole.
  TrainOutcome run(const StopAsked& stop);

  // Where checkpoints go: FOLDER/checkpoint.safetensors.
  std::string checkpoint_path() const;
  SpigaNetwork network();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spiga::train
