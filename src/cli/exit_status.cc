// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/exit_status.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace spiga::cli {

ExitStatus exit_status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return kUsage;
    case ErrorCode::not_found:
      return kNotFound;
    case ErrorCode::bad_data:
      return kBadData;
    case ErrorCode::unsupported:
      return kUnsupported;
    case ErrorCode::io:
      return kIo;
    case ErrorCode::interrupted:
      return kInterrupted;
  }
  return kInternal;
}

void print_error(const char* message) {
  std::string line = message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::fprintf(stderr, "spiga: %s\n", line.c_str());
}

}  // namespace spiga::cli
