// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <string>

#include "train/trainer.h"

namespace spiga::train {

struct RunOptions {
  bool resume = false;  // go on from FOLDER/checkpoint.safetensors where it exists
  std::string init;     // start from these weights
};

// A whole run from a configuration file: trains, and keeps FOLDER/log.csv and FOLDER/validation.csv beside
// the checkpoints. `events` hears of everything too.
TrainOutcome run_training(const std::string& config_path, const RunOptions& options,
                          const TrainEvents& events, const std::atomic<bool>& stop);

}  // namespace spiga::train
