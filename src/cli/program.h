// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "cli/commands.h"

namespace spiga::cli {

// What spiga and spiga-train have in common: parses the command line, runs the chosen command, turns every
// error into one line on stderr and an exit status.
int run_program(int argc, char** argv, const char* description,
                void (*add_commands)(CLI::App& program, Action& chosen));

}  // namespace spiga::cli
