// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <string_view>

#include "scheme/scheme.h"

namespace spiga::scheme {

// The text of the mark-up file with this name ("markup_68").
using MarkupText = std::function<std::string_view(std::string_view name)>;

// Reads a database in the format of data/README.md. Throws Error(bad_data) with file, line, what was expected
// and what was found; a database that comes back is complete and consistent.
Database parse_database(std::string_view name, std::string_view text, const MarkupText& markup_text);

}  // namespace spiga::scheme
