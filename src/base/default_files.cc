// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/default_files.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "spiga/error.h"

namespace spiga {
namespace {

namespace fs = std::filesystem;

// The folder of the program or shared library that this code is part of.
fs::path own_folder() {
  Dl_info info;
  std::error_code failed;
  const bool known = dladdr(reinterpret_cast<const void*>(&default_model_path), &info) != 0;
  const std::string name = known && info.dli_fname ? info.dli_fname : "";
  // A program's own name there is whatever it was called by.
  const bool library = name.find(".so") != std::string::npos;
  return (library ? fs::canonical(name, failed) : base::program_file()).parent_path();
}

// The file that the environment's `variable` names, or `name` among the models.
std::string default_file(const char* variable, const char* name, const char* what) {
  const char* chosen = std::getenv(variable);
  if (chosen && *chosen) {
    if (base::exists(chosen)) return chosen;
    throw Error(ErrorCode::not_found, base::concat(variable, " names a file that is not there: ", chosen));
  }
  const fs::path here = own_folder(), installed = "share/spiga/models";
  std::vector<std::string> places;
  // bin/spiga or lib/libspiga.so, lib/x86_64-linux-gnu/libspiga.so, build/PRESET/bin/spiga.
  for (const fs::path& place :
       {here / ".." / installed, here / "../.." / installed, here / "../../../models", fs::path("models")}) {
    std::error_code ignored;
    const std::string file = (place / name).lexically_normal().string();
    if (fs::exists(file, ignored)) return file;
    places.push_back(file);
  }
  throw Error(ErrorCode::not_found, base::concat("no ", what, " found: name one or set ", variable,
                                                 "; looked for ", base::join(places)));
}

}  // namespace

std::string default_model_path() { return default_file("SPIGA_MODEL", "default.safetensors", "model"); }

std::string default_detector_path() {
  return default_file("SPIGA_DETECTOR", "detector.safetensors", "face detector");
}

std::string default_head_path() { return default_file("SPIGA_HEAD", "head.safetensors", "morphable head"); }

}  // namespace spiga
