// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "spiga/error.h"

namespace spiga::cli {

// Exit statuses of the program, the same for every command (docs/cli.md).
enum ExitStatus : int {
  kDone = 0,         // everything was done
  kSomeFailed = 1,   // some inputs failed, each with its line on stderr; the rest was done
  kUsage = 2,        // the command line makes no sense
  kNotFound = 3,     // a file or folder that the whole run needs is absent or unreadable
  kBadData = 4,      // a file that the whole run needs (model, configuration, boxes) is not what it should be
  kUnsupported = 5,  // this build or machine cannot do it
  kIo = 6,           // reading or writing failed half-way: disk full, device gone
  kInternal = 70,    // a mistake in spiga, or no memory left
  kInterrupted = 130  // Ctrl-C; what was written so far is complete lines
};

// The status that stands for an Error that ends the run.
ExitStatus exit_status_of(ErrorCode code);

// Prints "spiga: message" as one line on stderr (line breaks in the message become spaces).
void print_error(const char* message);

}  // namespace spiga::cli
