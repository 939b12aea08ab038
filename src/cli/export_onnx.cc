// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/export_onnx.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "cli/exit_status.h"
#include "model/random_weights.h"
#include "onnx/export.h"
#include "onnx/graph.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

struct Options {
  std::string model;
  std::string config;
  std::string output;
};

void add_options(CLI::App& command, Options& options) {
  CLI::Option* model = command.add_option("--onnx", options.model, "Model file to turn into an ONNX file")
                           ->type_name("MODEL")
                           ->expected(0, 1);
  command.add_option("--config", options.config, "Random weights of this network instead, to measure with")
      ->type_name("NAME")
      ->check(CLI::IsMember({"wflw-full", "300w-full", "default"}))
      ->needs(model);
  command.add_option("-o,--output", options.output, "ONNX file to write")->type_name("FILE")->required();
  command.footer(
      "Input: crop [N, 3, S, S], B G R in [0, 1]. Outputs: landmarks [N, L, 2] and uncertainty [N, L] in "
      "parts of the crop's side, pose [N, 6]. Of a detector's file: picture [N, 3, H, W] to the cells of "
      "three "
      "levels. See docs/onnx.md.\n\n"
      "Examples:\n  spiga export --onnx models/default.safetensors -o spiga.onnx\n"
      "  spiga export --onnx models/detector.safetensors -o detector.onnx");
}

int run(const Options& options) {
  if (options.model.empty() == options.config.empty())
    throw Error(ErrorCode::invalid_argument, "export: expected a model file behind --onnx, or --config");
  std::size_t bytes = 0;
  if (options.config.empty()) {
    bytes = onnx::convert_model(options.model, options.output);
  } else {
    model::RandomWeights weights;
    bytes = onnx::write_network({model::named_config(options.config), "random, for measuring", "none"},
                                weights, options.output);
  }
  std::cerr << options.output << ": " << bytes << " bytes, operator set " << onnx::kOpset << '\n';
  return kDone;
}

}  // namespace

bool asks_for_onnx(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const std::string& word) { return word == "--onnx" || word.starts_with("--onnx="); });
}

int export_onnx(std::vector<std::string> arguments) {
  Options options;
  CLI::App command("Turn a model file into an ONNX file", "spiga export");
  add_options(command, options);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    command.parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return command.exit(error);
    throw Error(ErrorCode::invalid_argument, std::string(error.what()) + " (see spiga export --onnx --help)");
  }
  return run(options);
}

}  // namespace spiga::cli
