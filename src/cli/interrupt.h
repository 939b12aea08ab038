// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga::cli {

// From now on the first Ctrl-C (SIGINT) or SIGTERM only makes interrupted() true; a second one ends the
// program.
void catch_interrupts();

// Whether the user wants us to stop: finish what is under way, leave the output valid, end with kInterrupted.
bool interrupted();

}  // namespace spiga::cli
