// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <vector>

#include "annotations/annotations.h"
#include "eval/detector_scenes.h"
#include "fuzz/support.h"
#include "support/temporary_folder.h"

namespace spiga::fuzz {

namespace {

// A memory file whose name ends in .json or .txt, as the reader wants it.
struct NamedFile {
  explicit NamedFile(const char* name) : path(folder.path() / name) {
    std::filesystem::create_symlink(file.path(), path);
  }

  MemoryFile file;
  testing::TemporaryFolder folder;
  std::filesystem::path path;
};

}  // namespace

void fuzz_annotations(Bytes bytes) {
  static NamedFile json("faces.json");
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

void fuzz_detector_scenes(Bytes bytes) {
  static NamedFile json("scenes.json"), text("scenes.txt");
  NamedFile& file = !bytes.empty() && bytes[0] == '[' ? json : text;
  file.file.fill(bytes);
  expect_error_or_success([&] {
    const eval::SceneList list = eval::read_scenes(file.path);
    require(!list.scenes.empty());
    for (const eval::Scene& scene : list.scenes)
      for (const eval::SceneFace& face : scene.faces) {
        require(std::isfinite(face.box.x) && std::isfinite(face.box.y) && std::isfinite(face.box.width) &&
                std::isfinite(face.box.height));
        require(face.ignored || !list.complete || (face.box.width > 0 && face.box.height > 0));
      }
  });
}

}  // namespace spiga::fuzz
