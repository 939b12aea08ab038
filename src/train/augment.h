// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/affine.h"
#include "model/config.h"
#include "train/batch.h"
#include "train/packed.h"

namespace spiga::train {

// How training faces are varied. The defaults are the published recipe; what is 0 there goes past it.
// Probabilities are per face; U(a, b) is uniform, N(s) normal with standard deviation s. Lengths are
// fractions of the box's larger side. In this order:
struct AugmentOptions {
  // Where the face lies on the crop.
  double mirror = 0.5;        // probability
  double rotation_deg = 45;   // U(-r, r)
  double any_rotation = 0;    // probability of U(-180, 180) degrees instead
  double scale = 0.15;        // the box grows by 1 + U(-s, s)
  double translation = 0.05;  // U(-t, t) along x and y
  // With this probability the box is a detector's instead of the landmarks' own: moved and resized by what
  // distinguishes the two on average, and by noise.
  double detector = 0;
  double detector_shift_x = -0.04;
  double detector_shift_y = -0.075;
  double detector_size = 1.02;
  double detector_shift_noise = 0.04;  // N(s)
  double detector_size_noise = 0.06;   // times exp N(s)

  // One rectangle inside the landmarks' box, each side U(min, max) of the box's.
  double occlusion = 1;  // probability
  double occlusion_min = 0.1;
  double occlusion_max = 0.4;
  double occlusion_picture =
      0;  // share of the rectangles that show a piece of another face instead of a colour

  // Colours, values clipped to [0, 1] after each step.
  double hsv = 1;           // probability
  double hue = 0.5;         // H x (1 + U(-h, h)), H in [0, 1]
  double saturation = 0.5;  // likewise
  double value = 0.5;       // likewise
  double dark = 0;          // probability: V x U(dark_value, 0.6) as well
  double dark_value = 0.1;
  double cast = 0;  // probability: B, G and R each x (1 + U(-c, c))
  double cast_strength = 0.3;
  double grey = 0;  // probability of a grey picture

  // What cameras and coders do.
  double blur = 0.5;             // probability of a Gaussian kernel of 1, 3 or 5 pixels
  double noise = 0;              // probability
  double noise_strength = 0.05;  // N(U(0, s)) on every value
  double jpeg = 0;           // probability: 8 x 8 blocks, quantised as JPEG does without chroma subsampling
  double jpeg_quality = 20;  // the worst; quality is U(q, 90)
  // Probability of a crop with fewer pixels, drawn larger at the end: 3/4, 1/2, 3/8 or 1/4 of the side, as
  // long as it is at least low_resolution_side of it.
  double low_resolution = 0;
  double low_resolution_side = 0.25;
};

// Calls visit(name, value, least, most) for every option; the names are those of [augment] in a recipe.
template <typename Options, typename Visit>
void for_each_option(Options& o, Visit&& visit) {
  visit("mirror", o.mirror, 0.0, 1.0);
  visit("rotation_deg", o.rotation_deg, 0.0, 180.0);
  visit("any_rotation", o.any_rotation, 0.0, 1.0);
  visit("scale", o.scale, 0.0, 0.9);
  visit("translation", o.translation, 0.0, 1.0);
  visit("detector", o.detector, 0.0, 1.0);
  visit("detector_shift_x", o.detector_shift_x, -1.0, 1.0);
  visit("detector_shift_y", o.detector_shift_y, -1.0, 1.0);
  visit("detector_size", o.detector_size, 0.1, 10.0);
  visit("detector_shift_noise", o.detector_shift_noise, 0.0, 1.0);
  visit("detector_size_noise", o.detector_size_noise, 0.0, 1.0);
  visit("occlusion", o.occlusion, 0.0, 1.0);
  visit("occlusion_min", o.occlusion_min, 0.0, 1.0);
  visit("occlusion_max", o.occlusion_max, 0.0, 1.0);
  visit("occlusion_picture", o.occlusion_picture, 0.0, 1.0);
  visit("hsv", o.hsv, 0.0, 1.0);
  visit("hue", o.hue, 0.0, 1.0);
  visit("saturation", o.saturation, 0.0, 1.0);
  visit("value", o.value, 0.0, 1.0);
  visit("dark", o.dark, 0.0, 1.0);
  visit("dark_value", o.dark_value, 0.01, 0.6);
  visit("cast", o.cast, 0.0, 1.0);
  visit("cast_strength", o.cast_strength, 0.0, 1.0);
  visit("grey", o.grey, 0.0, 1.0);
  visit("blur", o.blur, 0.0, 1.0);
  visit("noise", o.noise, 0.0, 1.0);
  visit("noise_strength", o.noise_strength, 0.0, 1.0);
  visit("jpeg", o.jpeg, 0.0, 1.0);
  visit("jpeg_quality", o.jpeg_quality, 1.0, 90.0);
  visit("low_resolution", o.low_resolution, 0.0, 1.0);
  visit("low_resolution_side", o.low_resolution_side, 0.25, 1.0);
}

// A batch of varied faces. What happens to a face depends on `seed` and its index alone, not on its
// neighbours in the batch, the device or the number of processes: give every step of a run its own seed.
// Poses are recomputed by POSIT from the landmarks as they come to lie on the crop. Thread-safe. On the CPU
// one loop a face (about 2 ms); on other devices batched tensor operations after the pixels have been copied
// there. Throws Error(bad_data) where the faces are of another database than the network.
Batch make_batch(const FaceDataset& faces, std::span<const std::int64_t> indices, std::uint64_t seed,
                 const AugmentOptions& options, const model::NetworkConfig& config, torch::Device device);

// How a validation crop lies relative to the annotated box.
struct EvalBox {
  double shift_x = 0;  // fractions of the box's larger side
  double shift_y = 0;
  double size = 1;
};

struct EvalBatch {
  Batch batch;
  std::vector<geometry::Affine> image_from_crop;  // [N] from crop pixels back to the picture's
};

// The faces as the engine would see them for their annotated boxes (or boxes moved from there): no variation.
// Poses are the annotated ones where the boxes are, else POSIT's.
EvalBatch make_eval_batch(const FaceDataset& faces, std::span<const std::int64_t> indices,
                          const model::NetworkConfig& config, torch::Device device, const EvalBox& box = {});

}  // namespace spiga::train
