// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "cli/commands.h"
#include "cli/parts.h"
#include "cli/program.h"

namespace {

void add_commands(CLI::App& program, spiga::cli::Action& chosen) {
  spiga::cli::add_analyze(program, chosen);
  spiga::cli::add_bench(program, chosen);
  spiga::cli::add_calibrate(program, chosen);
  spiga::cli::add_evaluate(program, chosen);
  spiga::cli::add_evaluate_detector(program, chosen);
  spiga::cli::add_import(program, chosen);
  spiga::cli::add_info(program, chosen);
  spiga::cli::add_label(program, chosen);
  spiga::cli::add_pack(program, chosen);
  spiga::cli::add_quantize(program, chosen);
  spiga::cli::add_serve(program, chosen);
  spiga::cli::add_trainer(program, chosen);
}

}  // namespace

int main(int argc, char** argv) {
  return spiga::cli::run_program(argc, argv,
                                 "spiga: facial landmarks and head pose of every face in pictures and videos",
                                 add_commands, spiga::cli::describe_parts);
}
