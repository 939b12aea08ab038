// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "spiga/face.h"

// Whole pictures and their faces: what detectors are measured on.
namespace spiga::eval {

struct SceneFace {
  Box box;  // the tight box of the annotated landmarks, or the box that the list gives
  std::vector<Point> landmarks = {};  // those that are annotated; empty where there are boxes only
  double yaw_deg = std::numeric_limits<double>::quiet_NaN();  // absolute; NaN where not all are annotated
  // As WIDER FACE has them: 0 none, 1 some (or odd pose), 2 heavy; -1: not told.
  int blur = -1, occlusion = -1, pose = -1;
  bool ignored = false;  // nobody could tell: neither asked for nor counted against a detector
};

struct Scene {
  std::string image;  // relative to the pictures' folder
  std::vector<SceneFace> faces;
  std::vector<Box> ignored;  // places where nobody has looked
};

struct SceneList {
  std::string source;
  std::vector<Scene> scenes;
  // Whether every face is there, so that a find beside them is false: lists of boxes. Lists of faces with
  // landmarks leave faces out.
  bool complete = false;
};

// Reads one of four forms, by what is in it:
// - JSON, a list of {"imgpath", "boxes": [[x, y, width, height], ...]}, perhaps with "attributes" (a list of
//   {"blur", "occlusion", "pose", "invalid"}, one for each box) and "ignore" (boxes): every face is there;
// - JSON, a list of {"imgpath", "faces": [{"landmarks": [[x, y] or null, ...]} or {"box": [...]}]};
// - JSON, the published list of faces, {"imgpath", "bbox", "landmarks", ...} each;
// - .txt, WIDER FACE's ground truth: a picture's name, the number of faces, and for each x y width height
//   blur expression illumination invalid occlusion pose. Every face is there.
// Throws Error: not_found; bad_data naming file, record or line, and what is wrong.
SceneList read_scenes(const std::filesystem::path& path);

}  // namespace spiga::eval
