// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace spiga::cli {

// The model file to use where none was named, the first that is there of: $SPIGA_MODEL,
// ../share/spiga/models/default.safetensors and ../../../models/default.safetensors seen from the program's
// folder (an installation; a build folder build/NAME/bin), models/default.safetensors. Throws
// Error(not_found) that lists where it looked. A $SPIGA_MODEL that names no file is an error, too.
std::string default_model_path();

}  // namespace spiga::cli
