// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// In place of the commands of parts that are left out (cmake/parts.cmake): they say so.
#include <CLI/CLI.hpp>

#include "base/left_out.h"
#include "cli/commands.h"

namespace spiga::cli {
namespace {

[[maybe_unused]] void add_left_out(CLI::App& program, Action& chosen, const std::string& name,
                                   const char* option) {
  CLI::App* command = program.add_subcommand(name, std::string("Not in this build (") + option + "=OFF)");
  command->set_help_flag();  // whatever is asked of it has the same answer
  command->prefix_command();
  command->callback([name, option, &chosen] {
    chosen = [name, option]() -> int { base::left_out("spiga " + name, option); };
  });
}

}  // namespace

#if !SPIGA_HAS_IMPORT
void add_import(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "import", "SPIGA_WITH_IMPORT");
}
#endif

#if !SPIGA_HAS_EVALUATE
void add_calibrate(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "calibrate", "SPIGA_WITH_EVALUATE");
}
void add_evaluate(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "evaluate", "SPIGA_WITH_EVALUATE");
}
void add_evaluate_detector(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "evaluate-detector", "SPIGA_WITH_EVALUATE");
}
void add_label(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "label", "SPIGA_WITH_EVALUATE");
}
void add_pack(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "pack", "SPIGA_WITH_EVALUATE");
}
void add_quantize(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "quantize", "SPIGA_WITH_EVALUATE");
}
#endif

#if !SPIGA_HAS_SERVE
void add_serve(CLI::App& program, Action& chosen) {
  add_left_out(program, chosen, "serve", "SPIGA_WITH_SERVE");
}
#endif

}  // namespace spiga::cli
