// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace spiga::cli {

// What a command does once the command line has been understood; returns the exit status (exit_status.h).
// It may throw: main prints the message as one line on stderr and maps an Error's code to the exit status.
using Action = std::function<int()>;

// Each add_x, in x_command.cc, adds the subcommand x with its options, help and an example (footer) to the
// program. When the subcommand was given, its CLI11 callback stores what to do in `chosen`; nothing runs
// while parsing:
//
//   void add_info(CLI::App& program, Action& chosen) {
//     auto options = std::make_shared<InfoOptions>();
//     CLI::App* command = program.add_subcommand("info", "Say what is in a model file");
//     command->add_option("MODEL", options->model, "Model file")->required();
//     command->footer("Example:\n  spiga info models/default.safetensors");
//     command->callback([options, &chosen] { chosen = [options] { return run_info(*options); }; });
//   }

void add_evaluate(CLI::App& program, Action& chosen);
void add_evaluate_detector(CLI::App& program, Action& chosen);
void add_import(CLI::App& program, Action& chosen);
void add_analyze(CLI::App& program, Action& chosen);
void add_bench(CLI::App& program, Action& chosen);
void add_calibrate(CLI::App& program, Action& chosen);
void add_info(CLI::App& program, Action& chosen);
void add_label(CLI::App& program, Action& chosen);
void add_pack(CLI::App& program, Action& chosen);
void add_quantize(CLI::App& program, Action& chosen);
void add_serve(CLI::App& program, Action& chosen);
void add_trainer(CLI::App& program, Action& chosen);  // train and export: become spiga-train
void add_train(CLI::App& program, Action& chosen);    // spiga-train
void add_export(CLI::App& program, Action& chosen);   // spiga-train

}  // namespace spiga::cli
