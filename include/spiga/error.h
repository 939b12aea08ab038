// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdexcept>
#include <string>

namespace spiga {

// What kind of thing went wrong; the program maps each to an exit status (docs/cli.md).
enum class ErrorCode {
  invalid_argument,  // the caller asked for something that makes no sense
  not_found,         // a file or folder is absent or unreadable
  io,                // reading or writing failed half-way: disk full, device gone
  bad_data,          // a file is there but is not what it should be
  unsupported,       // well-formed, but not something this build or machine can do
  interrupted,       // stopped by the user
};

// Every failure of the library. The message is one line and names the file, the field, what was expected
// and what was found.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace spiga
