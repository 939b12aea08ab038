// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/export_onnx.h"
#include "cli/trainer_program.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

// Becomes `spiga-train COMMAND arguments...`; returns by exception only.
int become_trainer(const std::string& command, const std::vector<std::string>& arguments) {
  const std::filesystem::path program = trainer_program();
  if (!base::exists(program))
    throw Error(ErrorCode::unsupported,
                base::concat("spiga ", command, ": needs the program ", program.string(),
                             ", which is not there: build with LibTorch installed and SPIGA_BUILD_TRAIN=ON"));
  std::vector<std::string> words = {"spiga", command};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  throw Error(ErrorCode::unsupported,
              base::concat(program.string(), ": cannot be started: ", std::strerror(errno)));
}

void pass_on(CLI::App& program, Action& chosen, const char* name, const char* description) {
  CLI::App* command = program.add_subcommand(name, description);
  command->set_help_flag();  // the trainer's program has the help
  command->prefix_command();
  command->callback([command, &chosen] {
    chosen = [name = command->get_name(), arguments = command->remaining()] {
      if (name == "export" && asks_for_onnx(arguments)) return export_onnx(arguments);
      return become_trainer(name, arguments);
    };
  });
}

}  // namespace

void add_trainer(CLI::App& program, Action& chosen) {
  pass_on(program, chosen, "train", "Train a network from packed faces");
  pass_on(program, chosen, "export",
          "Turn a checkpoint into a model file, or (--onnx) that into an ONNX file");
}

}  // namespace spiga::cli
