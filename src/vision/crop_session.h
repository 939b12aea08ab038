// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "geometry/affine.h"
#include "model/session.h"
#include "spiga/landmarker.h"
#include "vision/crop_sampler.h"

namespace spiga::vision {

// Runs the network on faces in boxes: samples their crops, and leaves what came out, in crop units, in the
// session. One object serves one thread at a time; many may share a model.
class CropSession {
 public:
  // Throws Error as Landmarker.
  CropSession(const Model& model, const LandmarkerOptions& options);

  // One network call on 1 to max_batch faces.
  void run(std::span<const FaceRequest> faces);

  // Of the last run.
  const model::Session& session() const { return session_; }
  // Side of a crop in pixels.
  int size() const { return sampler_.size(); }
  geometry::Affine crop_from_image(const Box& box) const {
    return geometry::crop_from_image(box, sampler_.size());
  }

 private:
  model::Session session_;
  CropSampler sampler_;
};

}  // namespace spiga::vision
