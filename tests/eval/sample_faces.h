// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "annotations/annotations.h"
#include "scheme/scheme.h"

namespace spiga::eval {

// A face like the database's mean face, `size` pixels wide, its landmarks moved by (dx, dy).
inline annotations::AnnotatedFace sample_face(const scheme::Database& database, const std::string& image,
                                              double size = 100, double dx = 0, double dy = 0) {
  annotations::AnnotatedFace face;
  face.image = image;
  face.ids = database.ids;
  for (const scheme::Point3& point : database.mean_face) {
    face.landmarks.push_back({200 + size / 2 * point[0] + dx, 200 - size / 2 * point[1] + dy});
  }
  face.visible.assign(face.ids.size(), 1);
  return face;
}

// `count` faces named 0.jpg, 1.jpg, ..., growing from 100 pixels, moved by (dx, dy).
inline annotations::FaceList sample_list(const scheme::Database& database, std::size_t count, double dx = 0,
                                         double dy = 0) {
  annotations::FaceList list;
  list.source = dx == 0 && dy == 0 ? "truth.json" : "moved.json";
  for (std::size_t i = 0; i < count; ++i) {
    list.faces.push_back(
        sample_face(database, std::to_string(i) + ".jpg", 100 + static_cast<double>(i), dx, dy));
  }
  return list;
}

}  // namespace spiga::eval
