// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>

namespace spiga::serve {

// Whether an Authorization header holds the token as a bearer's. Takes as long for every wrong one.
bool is_authorized(const std::string& header, const std::string& token);

// The token that a file holds, its line end aside. Throws Error(not_found, io), and Error(bad_data) unless it
// is one line of 1 to 4096 printable characters without blanks.
std::string read_token(const std::filesystem::path& file);

}  // namespace spiga::serve
