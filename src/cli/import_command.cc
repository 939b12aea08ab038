// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "model/import.h"
#include "scheme/scheme.h"

namespace spiga::cli {
namespace {

struct ImportOptions {
  std::string checkpoint;
  std::string database;
  std::string output;
  std::string licence = "not stated: an imported checkpoint keeps its own terms";
  weights::DType storage = weights::DType::f32;
};

int run_import(const ImportOptions& options) {
  const std::string source = std::filesystem::path(options.checkpoint).filename().string();
  const model::ModelInfo info{model::published_config(options.database),
                              "imported from the PyTorch checkpoint " + source, options.licence};
  const model::ImportResult result =
      model::import_checkpoint(options.checkpoint, info, options.output, options.storage);
  std::cerr << options.output << ": " << result.tensors << " tensors, " << result.parameters
            << " numbers; left out: " << result.constants << " constants and counters, "
            << result.training_only << " tensors of training-only heads\n";
  return kDone;
}

}  // namespace

void add_import(CLI::App& program, Action& chosen) {
  static const std::map<std::string, weights::DType> kStorages = {
      {"f32", weights::DType::f32}, {"f16", weights::DType::f16}, {"bf16", weights::DType::bf16}};
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      program.add_subcommand("import", "Make a model file from a published PyTorch checkpoint");
  command
      ->add_option("CHECKPOINT", options->checkpoint,
                   "State dict saved by PyTorch (.pt); nothing in it is run")
      ->required();
  command->add_option("--database", options->database, "Database whose published network it is")
      ->required()
      ->check(CLI::IsMember(scheme::database_names()));
  command->add_option("-o,--output", options->output, "Model file to write (.safetensors)")->required();
  command->add_option("--storage", options->storage, "Number format in the model file: f32, f16 or bf16")
      ->transform(CLI::CheckedTransformer(kStorages).description(""))
      ->default_str("f32");
  command->add_option("--licence", options->licence, "Terms of use to write into the model file");
  command->footer(
      "Every tensor's name and shape is checked; what is missing, unknown or of another shape is named.\n\n"
      "Example:\n  spiga import spiga_wflw.pt --database wflw -o wflw.safetensors");
  command->callback([options, &chosen] { chosen = [options] { return run_import(*options); }; });
}

}  // namespace spiga::cli
