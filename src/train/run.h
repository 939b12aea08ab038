// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "train/trainer.h"

namespace spiga::train {

struct RunOptions {
  bool resume = false;     // go on from FOLDER/checkpoint.safetensors where it exists
  bool overwrite = false;  // begin anew although that checkpoint exists
  std::string init;        // start from these weights
};

// A whole run from a configuration file: trains, and keeps log.csv, validation.csv, report.html, curves.svg
// and curves.png in FOLDER beside the checkpoints. One of several processes where the environment says so
// (ProcessPlace); the first one does the writing. `events` hears of everything too.
TrainOutcome run_training(const std::string& config_path, const RunOptions& options,
                          const TrainEvents& events, const StopAsked& stop);

}  // namespace spiga::train
