// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "spiga/detector.h"
#include "spiga/landmarker.h"

namespace spiga::eval {

// What predicting takes: pictures, a network and, perhaps, a detector.
struct PredictionSources {
  std::function<Image(const std::string& image)> read_picture;  // named as in the annotations
  std::function<std::vector<Face>(std::span<const FaceRequest>)> locate;
  std::vector<int> landmark_ids;  // of the located landmarks, in order
  // Finds the faces' boxes; null: the annotated boxes are used.
  Detector* detector = nullptr;
  std::size_t batch = 8;  // faces of one call of `locate`
  std::function<void(std::size_t done)> on_progress = {};
};

// A located face in the annotations' form; `ids` are those of its landmarks.
annotations::AnnotatedFace to_annotated(const std::string& image, const Face& face,
                                        const std::vector<int>& ids);

// A detection belongs to an annotated face where their boxes overlap by at least this much (intersection over
// union); each goes to one face, largest overlap first.
inline constexpr double kSameFaceOverlap = 0.3;

// Predicts every annotated face, in the annotations' order. A face that the detector missed comes out without
// box, landmarks and pose. Throws Error: what the sources throw, with the picture's name; bad_data where
// boxes are asked for and a face has none.
annotations::FaceList predict_faces(const annotations::FaceList& truth, const PredictionSources& sources);

}  // namespace spiga::eval
