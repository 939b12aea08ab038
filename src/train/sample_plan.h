// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "geometry/affine.h"
#include "train/augment.h"
#include "train/packed.h"
#include "train/random.h"

namespace spiga::train {

// Everything that is left to chance about one training face, decided; render.h draws it. The face is drawn on
// a canvas of `side` x `side` pixels, which is enlarged to the crop at the end where it is smaller.
struct SamplePlan {
  geometry::Affine crop_from_face;  // network crop from stored crop, both in pixels
  geometry::Affine face_from_canvas;
  int side = 0;
  int supersample = 1;  // samples along each axis of a canvas pixel

  struct Rectangle {
    int x = 0, y = 0, width = 0, height = 0;  // on the canvas; width 0: none
    std::array<float, 3> bgr = {0, 0, 0};
    bool picture = false;  // shows the occluder from picture_x, picture_y on instead of the colour
    int picture_x = 0, picture_y = 0;
  };
  Rectangle rectangle;

  std::array<float, 3> hsv = {1, 1, 1};   // factors
  std::array<float, 3> cast = {1, 1, 1};  // factors of B, G, R
  bool grey = false;
  int blur = 1;  // kernel: 1, 3 or 5
  float noise = 0;
  std::uint32_t noise_offset = 0;
  int jpeg_quality = 0;  // 0: none
};

// The face on the crop of a box, nothing varied.
SamplePlan plain_plan(const FaceRecord& face, int crop_size, const Box& box);

// A varied face. The occluder is another face (or the same), shown where the plan says so.
SamplePlan vary(const FaceRecord& face, const ImageView& occluder, const AugmentOptions& options,
                int crop_size, Random& random);

// Landmarks of the stored face on the network's crop, in its pixels. Annotations are pixel indices: they
// follow the pixels' centres through turns and mirrors and are half a picture pixel up and left of them
// afterwards, as before.
std::vector<Point> landmarks_on_crop(const FaceRecord& face, const geometry::Affine& crop_from_face);

// Mirrored x -> size - x: where landmark i comes to lie is then where landmark flip_order[i] of the face is.
bool is_mirrored(const geometry::Affine& crop_from_face);

}  // namespace spiga::train
