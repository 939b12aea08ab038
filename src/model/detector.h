// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "model/compiled_network.h"
#include "model/detector_cells.h"
#include "spiga/image.h"

namespace spiga::model {

struct DetectorThresholds {
  float score = 0.5F;
  float most_overlap = 0.45F;  // IoU of two faces that are told
};

// What a picture lies on, in pixels: black, the picture in its top left corner. It grows to what the picture
// needs and to multiples of 32.
struct DetectorCanvas {
  int width = 0;
  int height = 0;
};

// The workspace of one thread. The first canvas of a size compiles for it (tens of milliseconds); the
// programs of the sizes seen last are kept.
class DetectorSession {
 public:
  // Throws Error(invalid_argument) where the network is none of a detector, or threads < 0 (0: OpenMP's
  // default).
  // `observer`, unless null, sees activations of each run and must outlive the session.
  explicit DetectorSession(std::shared_ptr<const CompiledNetwork> network, int threads = 1,
                           ActivationObserver* observer = nullptr);
  ~DetectorSession();

  // The faces on a picture, bgr8, which the network sees as it is, on a canvas; surest first, in the
  // picture's pixel indices. Throws Error(invalid_argument) where the picture has no pixels or another
  // format.
  std::vector<ScoredFace> run(const ImageView& picture, const DetectorThresholds& thresholds,
                              const DetectorCanvas& canvas = {});

  // For tests and benchmarks: what the cells of the last run said, [cells, kOutputs] of all levels, and the
  // compiled steps of a picture's size.
  std::vector<float> outputs() const;
  engine::Program& program(int height, int width);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::model
