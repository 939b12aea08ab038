// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "geometry/affine.h"
#include "spiga/image.h"
#include "spiga/landmarker.h"

namespace spiga::vision {

// Takes upright squares from pictures, as the network sees them: [size, size, 3] float32, B G R in [0, 1],
// zeros outside the picture (docs/network.md, section 1). Pixel (u, v) of the crop shows what lies around
// inverse(crop_from_image)(u + 0.5, v + 0.5); frames are continuous, as in geometry::Affine.
//
// Separable: source rows are summed first (contiguous, whatever the picture's format), then columns.
// Shrinking by s costs s * s reads per pixel of the crop. Owns its scratch memory: one sampler serves one
// thread.
class CropSampler {
 public:
  CropSampler(int size, Sampling sampling) : size_(size), sampling_(sampling) {}

  // `crop_from_image` must scale both axes alike and not turn. `crop` holds size * size * 3 floats.
  // Throws Error(invalid_argument) where the picture has no pixels or the map turns or mirrors.
  void sample(const ImageView& image, const geometry::Affine& crop_from_image, float* crop);

  int size() const { return size_; }

 private:
  // Which source pixels make each pixel of one axis of the crop: source[i] + k, k < count, with weight[k *
  // size + i].
  struct Taps {
    int count = 0;
    std::vector<int> first;     // [size]
    std::vector<float> weight;  // [count, size]
  };
  static void make_taps(double scale, double offset, int source_size, int size, Sampling sampling,
                        Taps& taps);
  void sum_rows(const ImageView& image, int row, int first_column, int columns);
  void sum_columns(PixelFormat format, int first_column, float* out) const;

  int size_;
  Sampling sampling_;
  Taps columns_;
  Taps rows_;
  std::vector<float> line_;  // one crop row at the source's columns and channels
};

}  // namespace spiga::vision
