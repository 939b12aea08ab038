// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "spiga/image.h"
#include "train/sample_plan.h"

namespace spiga::train {

// A planned face and the pixels it needs, bgr8 both.
struct RenderJob {
  SamplePlan plan;
  ImageView face;
  ImageView occluder;
};

// Draws planned faces on the CPU, one fused loop a step. Keeps its buffers: one object per thread.
class Renderer {
 public:
  // Writes [size, size, 3], B G R in [0, 1].
  void render(const RenderJob& job, int size, float* image);

 private:
  std::vector<float> canvas_;   // [3, side, side]
  std::vector<float> scratch_;  // likewise
};

// The same by tensor operations on a device, many faces at once: [N, 3, size, size] float32, channels last.
torch::Tensor render_tensors(std::span<const RenderJob> jobs, int size, torch::Device device);

// What both share.
// Normal random numbers, noise_table()[(i + noise_offset) % size] belongs to value i of a canvas [3, side,
// side].
std::span<const float> noise_table();
// Quantisation of JPEG (ITU-T T.81, annex K, as scaled by libjpeg): [64] for luminance or chrominance,
// row-major.
std::vector<float> jpeg_steps(int quality, bool chrominance);
// The 8-point DCT-II, orthonormal: row k is the k-th cosine, [8, 8].
std::vector<float> dct_matrix();
// What coding as JPEG and decoding does to a canvas [3, side, side], B G R in [0, 1], in place; without
// chroma subsampling. What is beyond the last multiple of 8 stays.
void code_jpeg(int side, int quality, float* canvas);
// Weights of a Gaussian kernel of 1, 3 or 5 pixels, centred in 5.
std::vector<float> blur_weights(int kernel);

}  // namespace spiga::train
