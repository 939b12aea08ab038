// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

#include "base/file.h"

namespace spiga::cli {

// The trainer's program, which lies beside this one.
inline std::filesystem::path trainer_program() { return base::program_file().parent_path() / "spiga-train"; }

}  // namespace spiga::cli
