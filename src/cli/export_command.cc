// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "train/export.h"

namespace spiga::cli {
namespace {

struct Options {
  std::string checkpoint;
  std::string output;
  train::ExportOptions exported = {.provenance = "trained with spiga train",
                                   .licence = "not stated: the terms of the training data apply"};
};

int run_export(const Options& options) {
  const train::ExportSummary summary =
      train::export_model(options.checkpoint, options.output, options.exported);
  std::cerr << options.output << ": " << summary.tensors << " tensors, " << summary.parameters << " numbers, "
            << summary.bytes << " bytes\n";
  return kDone;
}

}  // namespace

void add_export(CLI::App& program, Action& chosen) {
  static const std::map<std::string, weights::DType> kStorages = {
      {"f32", weights::DType::f32}, {"f16", weights::DType::f16}, {"bf16", weights::DType::bf16}};
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("export", "Turn a checkpoint into a model file");
  command->add_option("CHECKPOINT", options->checkpoint, "Checkpoint of spiga train (.safetensors)")
      ->required();
  command->add_option("-o,--output", options->output, "Model file to write (.safetensors)")->required();
  command->add_option("--storage", options->exported.matrices, "Number format of matrices: f32, f16 or bf16")
      ->transform(CLI::CheckedTransformer(kStorages).description(""))
      ->default_str("f16");
  command->add_option("--provenance", options->exported.provenance,
                      "How the weights came to be, for the model file");
  command->add_option("--licence", options->exported.licence, "Terms of use, for the model file");
  command->footer(
      "The averaged weights, without what only training needs.\n\n"
      "Example:\n  spiga export runs/default/checkpoint.safetensors -o my.safetensors");
  command->callback([options, &chosen] { chosen = [options] { return run_export(*options); }; });
}

}  // namespace spiga::cli
