// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <dlfcn.h>
#include <sys/auxv.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/text.h"
#include "spiga/analyzer.h"
#include "spiga/error.h"

namespace spiga {
namespace {

namespace fs = std::filesystem;

// The program's file; without /proc (a bare chroot), as it was called.
fs::path program_file() {
  std::error_code failed;
  fs::path file = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) return file;
  const char* called = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  return called ? fs::absolute(called, failed) : fs::path();
}

// The folder of the program or shared library that this code is part of.
fs::path own_folder() {
  Dl_info info;
  std::error_code failed;
  const bool known = dladdr(reinterpret_cast<const void*>(&default_model_path), &info) != 0;
  const std::string name = known && info.dli_fname ? info.dli_fname : "";
  // A program's own name there is whatever it was called by.
  const bool library = name.find(".so") != std::string::npos;
  return (library ? fs::canonical(name, failed) : program_file()).parent_path();
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
