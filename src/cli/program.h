// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "cli/commands.h"

namespace spiga::cli {

// What spiga and spiga-train have in common: parses the command line, runs the chosen command, turns every
// error into one line on stderr and an exit status. `details`, where there are any, gives the lines that
// `--version --verbose` adds.
int run_program(int argc, char** argv, const char* description,
                void (*add_commands)(CLI::App& program, Action& chosen), std::string (*details)() = nullptr);

}  // namespace spiga::cli
