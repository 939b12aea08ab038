// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/crop_session.h"

namespace spiga::vision {

CropSession::CropSession(const Model& model, const LandmarkerOptions& options)
    : session_(model.network(ModelKind::landmarks),
               {.threads = options.threads, .max_batch = options.max_batch}),
      sampler_(session_.network().config().input_size, options.sampling) {}

void CropSession::run(std::span<const FaceRequest> faces) {
  const int count = static_cast<int>(faces.size());
  const std::span<float> input = session_.input(count);
  const std::size_t crop_floats = input.size() / faces.size();
  for (std::size_t i = 0; i < faces.size(); ++i)
    sampler_.sample(faces[i].image, crop_from_image(faces[i].box), input.data() + i * crop_floats);
  session_.run(count);
}

}  // namespace spiga::vision
