// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

#include "spiga/landmarker.h"

namespace spiga::vision {

// Landmarks that a network gives a face that nobody annotated, and how far different looks at it disagree.
struct PseudoLabel {
  Box box;                        // tight box of the landmarks
  float confidence = 1;           // the detector's
  std::vector<Point> landmarks;   // [L] of Quality::best, in picture pixels
  std::vector<float> difference;  // [L] root mean square distance of the looks to them, in sides of the box
                                  // (the geometric mean of width and height)
};

// Looks of each face beside Quality::best.
inline constexpr int kPseudoLabelLooks = 6;

// Labels the faces by Quality::best, and looks at each again in boxes shifted by 5 % of its side to four
// sides and scaled by 0.92 and 1.08, once each: what the looks agree on is likely to be right (pseudo-labels
// for a student network). One object serves one thread at a time.
class PseudoLabeller {
 public:
  // Sessions of the landmarker's model; its own quality does not matter.
  explicit PseudoLabeller(const Landmarker& landmarker);

  // In the detections' order. Throws as Landmarker::locate.
  std::vector<PseudoLabel> label(const ImageView& image, std::span<const Detection> detections);

 private:
  Landmarker best_, once_;
};

}  // namespace spiga::vision
