// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// The trainer's program: apart from spiga, so that LibTorch is loaded by those who train and by nobody else.
#include "cli/commands.h"
#include "cli/program.h"
#include "train/process.h"

namespace {

void add_commands(CLI::App& program, spiga::cli::Action& chosen) {
  spiga::cli::add_train(program, chosen);
  spiga::cli::add_export(program, chosen);
}

}  // namespace

int main(int argc, char** argv) {
  spiga::train::prepare_process();
  return spiga::cli::run_program(argc, argv, "spiga-train: train facial-landmark networks", add_commands);
}
