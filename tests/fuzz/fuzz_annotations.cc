// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <vector>

#include "annotations/annotations.h"
#include "fuzz/support.h"
#include "support/temporary_folder.h"

namespace spiga::fuzz {

namespace {

// A memory file whose name ends in .json, as the reader wants it.
struct JsonFile {
  JsonFile() { std::filesystem::create_symlink(file.path(), path); }

  MemoryFile file;
  testing::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "faces.json";
};

}  // namespace

void fuzz_annotations(Bytes bytes) {
  static JsonFile json;
  json.file.fill(bytes);
  const std::vector<int> ids = {1, 2, 3, 5, 8};
  expect_error_or_success([&] {
    annotations::ReadOptions options;
    options.database_ids = ids;
    for (const annotations::AnnotatedFace& face : annotations::read(json.path, options).faces) {
      require(face.landmarks.size() == face.ids.size() && face.visible.size() == face.ids.size());
      for (const annotations::Coordinate& point : face.landmarks) {
        require(std::isfinite(point.x) && std::isfinite(point.y));
      }
    }
  });
}

}  // namespace spiga::fuzz
