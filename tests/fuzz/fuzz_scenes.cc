// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz/support.h"
#include "train/scenes.h"

namespace spiga::fuzz {

// The bytes as scenes, and as the JSON lines of `spiga analyze`. Nothing is written: there is no such folder.
void fuzz_scenes(Bytes bytes) {
  static MemoryFile file;
  file.fill(bytes);
  const auto pack = [](const train::ScenePackOptions& options) {
    expect_error_or_success([&] { train::pack_scenes(options, "/nowhere/scenes.pack"); });
  };
  const auto picture = [](const std::filesystem::path&) { return Image(1, 1, PixelFormat::bgr8); };
  pack({.annotations = {file.path()}, .ignored = {}, .read_picture = picture});
  pack({.annotations = {}, .ignored = {file.path()}, .read_picture = picture});
}

}  // namespace spiga::fuzz
