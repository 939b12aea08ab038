// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/model_path.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::cli {

namespace fs = std::filesystem;

std::string default_model_path() {
  const char* chosen = std::getenv("SPIGA_MODEL");
  if (chosen && *chosen) {
    if (fs::exists(chosen)) return chosen;
    throw Error(ErrorCode::not_found, "SPIGA_MODEL names a file that is not there: " + std::string(chosen));
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<std::string> places;
  for (const fs::path& place :
       {program / "../share/spiga/models", program / "../../../models", fs::path("models")}) {
    const std::string file = (place / "default.safetensors").lexically_normal().string();
    if (fs::exists(file, ignored)) return file;
    places.push_back(file);
  }
  throw Error(ErrorCode::not_found,
              "no model found: name one with --model or SPIGA_MODEL; looked for " + base::join(places));
}

}  // namespace spiga::cli
