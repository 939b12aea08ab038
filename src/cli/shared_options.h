// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "spiga/precision.h"

namespace CLI {
class App;
}

namespace spiga {
struct AnalyzerOptions;
}

namespace spiga::cli {

// What every command that runs a network asks for.
struct NetworkOptions {
  std::string model;  // empty: default_model_path()
  Precision precision = Precision::automatic;
  int threads = 0;  // 0: one per processor
  int batch = 8;

  std::string model_path() const;
  int thread_count() const;
  // Model, precision, threads and batch.
  void apply_to(AnalyzerOptions& analyzer) const;
};

// --model, --precision, --threads, --batch.
void add_network_options(CLI::App& command, NetworkOptions& options);

// --precision alone.
void add_precision_option(CLI::App& command, Precision& precision);

}  // namespace spiga::cli
