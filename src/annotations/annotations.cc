// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "annotations/annotations.h"

#include <algorithm>

#include "annotations/forms.h"
#include "base/file.h"

namespace spiga::annotations {

namespace fs = std::filesystem;

FaceList read(const fs::path& path, const ReadOptions& options) {
  if (!base::exists(path)) throw Error(ErrorCode::not_found, path.string() + ": no such file or folder");
  FaceList list;
  list.source = path.string();
  FaceCollector faces(list, options);
  const std::string extension = path.extension().string();
  if (base::is_folder(path)) {
    read_pts_folder(path, options, list, faces);
  } else if (extension == ".json") {
    read_json(path, faces);
  } else if (extension == ".jsonl") {
    read_json_lines(path, faces);
  } else if (extension == ".csv") {
    read_csv(path, faces);
  } else if (extension == ".txt") {
    read_wflw_list(path, list, faces);
  } else {
    throw Error(ErrorCode::bad_data,
                path.string() +
                    ": annotations are a .json, .jsonl, .csv or .txt (WFLW list) file or a folder of "
                    ".pts files, found '" +
                    extension + "'");
  }
  return list;
}

Rect tight_box(std::span<const Coordinate> landmarks) {
  const auto [left, right] =
      std::minmax_element(landmarks.begin(), landmarks.end(), [](auto& a, auto& b) { return a.x < b.x; });
  const auto [top, bottom] =
      std::minmax_element(landmarks.begin(), landmarks.end(), [](auto& a, auto& b) { return a.y < b.y; });
  return {left->x, top->y, right->x - left->x, bottom->y - top->y};
}

std::optional<Rect> box_of(const AnnotatedFace& face) {
  if (face.box) return face.box;
  if (face.landmarks.empty()) return std::nullopt;
  return tight_box(face.landmarks);
}

}  // namespace spiga::annotations
