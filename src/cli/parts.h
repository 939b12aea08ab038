// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace spiga::cli {

// What `--version --verbose` says below the version: a line per optional part, in or left out, and one of the
// trainer.
std::string describe_parts();

}  // namespace spiga::cli
