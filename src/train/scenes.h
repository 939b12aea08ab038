// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "spiga/face.h"
#include "spiga/image.h"

namespace spiga::train {

// Whole pictures with the faces on them: what the detector learns from. In one safetensors file, mapped, so
// that an epoch needs no picture decoder: for picture i "pixels/i" [H, W, 3] U8 (B G R), "landmarks/i" [n,
// 68, 2], "boxes/i", "ignored/i" and "negatives/i" [m, 4] F32 (each absent where there is none), in pixel
// indices. Landmarks that were not annotated are NaN.

// A picture; views into the file.
struct Scene {
  ImageView pixels;                           // bgr8
  std::vector<std::vector<Point>> landmarks;  // of each annotated face, 68-point mark-up
  std::vector<Box> boxes;                     // of faces without landmarks: about where the landmarks' box is
  std::vector<Box> ignored;                   // what may be a face too, though nobody has annotated it
  std::vector<Box> negatives;                 // what was taken for a face and is none
};

// The tight box of the landmarks that are known.
Box face_box(const std::vector<Point>& landmarks);

// Cheap to copy (copies share the mapping); const use from many threads is safe.
class SceneDataset {
 public:
  // Throws Error(not_found) where it cannot be opened, Error(bad_data) naming the tensor that is wrong.
  static SceneDataset open(const std::string& path);

  std::int64_t size() const;
  Scene scene(std::int64_t index) const;
  const std::string& path() const;

 private:
  struct Content;
  std::shared_ptr<const Content> content_;
};

struct ScenePackOptions {
  // Annotations: JSON lists of {"imgpath", "faces": [{"landmarks": [[x, y] x 68]} or {"box": [x, y, width,
  // height]}]} and, if wanted, "ignored" and "negatives": lists of boxes (see Scene). A landmark that was not
  // annotated is null. Pictures are sought beside them.
  std::vector<std::filesystem::path> annotations;
  // What `spiga analyze` said of the same pictures: faces that overlap with no annotated one (IoU 0.3) are
  // ignored in training. May be empty.
  std::vector<std::filesystem::path> ignored;
  // Decodes a picture. Throws Error where it is missing or damaged.
  std::function<Image(const std::filesystem::path&)> read_picture;
  // Pictures done and of how many; may be empty.
  std::function<void(std::size_t, std::size_t)> on_progress = {};
};

struct ScenePackResult {
  std::size_t pictures = 0, faces = 0, ignored = 0;
};

// Throws Error(bad_data) naming file and picture where an annotation is not as it should be. All pixels are
// kept in memory until the file is written.
ScenePackResult pack_scenes(const ScenePackOptions& options, const std::filesystem::path& output);

}  // namespace spiga::train
