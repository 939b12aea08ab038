// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "scheme/scheme.h"
#include "spiga/face.h"
#include "spiga/image.h"

namespace spiga::media {

struct OverlayStyle {
  bool box = true;     // corners around the landmarks
  bool edges = true;   // contours of the facial parts
  bool points = true;  // landmarks; the fainter, the less certain
  bool axes =
      true;  // head pose: red to the picture's right, green up, blue out of the face, in the head's frame
  float line_scale = 1;
};

// Draws what was found on a bgr8 picture; line widths and points follow the face's size.
// Throws Error(invalid_argument) where a face has not the database's number of landmarks.
void draw_faces(Image& picture, std::span<const Face> faces, const scheme::Database& database,
                const OverlayStyle& style = {});

}  // namespace spiga::media
