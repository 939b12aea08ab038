// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/text.h"
#include "spiga/analyzer.h"
#include "spiga/error.h"

namespace spiga {
namespace {

namespace fs = std::filesystem;

// The folder of the program or shared library that this code is part of.
fs::path own_folder() {
  Dl_info info;
  std::error_code ignored;
  if (dladdr(reinterpret_cast<const void*>(&default_model_path), &info) == 0 || info.dli_fname == nullptr)
    return fs::current_path(ignored);
  // A program's own name there is whatever it was called by.
  const std::string name = info.dli_fname;
  const bool library = name.find(".so") != std::string::npos;
  return (library ? fs::canonical(name, ignored) : fs::read_symlink("/proc/self/exe", ignored)).parent_path();
}

}  // namespace

std::string default_model_path() {
  const char* chosen = std::getenv("SPIGA_MODEL");
  if (chosen && *chosen) {
    if (fs::exists(chosen)) return chosen;
    throw Error(ErrorCode::not_found, "SPIGA_MODEL names a file that is not there: " + std::string(chosen));
  }
  const fs::path here = own_folder(), installed = "share/spiga/models";
  std::vector<std::string> places;
  // bin/spiga or lib/libspiga.so, lib/x86_64-linux-gnu/libspiga.so, build/PRESET/bin/spiga.
  for (const fs::path& place :
       {here / ".." / installed, here / "../.." / installed, here / "../../../models", fs::path("models")}) {
    std::error_code ignored;
    const std::string file = (place / "default.safetensors").lexically_normal().string();
    if (fs::exists(file, ignored)) return file;
    places.push_back(file);
  }
  throw Error(ErrorCode::not_found,
              "no model found: name one or set SPIGA_MODEL; looked for " + base::join(places));
}

}  // namespace spiga
