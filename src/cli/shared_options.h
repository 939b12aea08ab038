// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "spiga/precision.h"
#include "spiga/quality.h"

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

// Seconds of "90.5", "1:30.5" or "0:01:30.5". Throws Error(invalid_argument), which names the option.
double parse_moment(std::string_view option, std::string_view text);

// --precision alone.
void add_precision_option(CLI::App& command, Precision& precision);

// --quality; what it is without it, in words.
void add_quality_option(CLI::App& command, const std::string& group, const std::string& usual,
                        std::function<void(Quality)> choose);

}  // namespace spiga::cli
