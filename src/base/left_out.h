// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::base {

// What an optional part does where it was not built. Throws Error(unsupported), which names the CMake option.
[[noreturn]] inline void left_out(std::string_view what, std::string_view option) {
  throw Error(ErrorCode::unsupported,
              concat(what, ": not in this build of spiga, which was configured with ", option, "=OFF"));
}

}  // namespace spiga::base
