// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "spiga/detector.h"

namespace spiga::vision {

// The smallest face in pixels that the options ask for in a picture of that size.
double smallest_face(const DetectorOptions& options, int width, int height);

// One look at a picture: turned (clockwise on the screen) and then mirrored.
struct DetectorPass {
  double turn_deg = 0;
  bool mirrored = false;
};

// The passes that an effort takes.
std::vector<DetectorPass> passes_of(DetectorEffort effort);

// A detector that looks at each picture several times, with the one given, and tells each face once.
std::unique_ptr<Detector> make_multi_pass_detector(std::vector<DetectorPass> passes,
                                                   std::unique_ptr<Detector> detector);

// Surest first, and of detections that mean the same face (IoU over 0.4, or most of the smaller box within
// the other) only the surest.
std::vector<Detection> without_doubles(std::vector<Detection> detections);

// Looks only into the picture's free regions (see free_regions): what lies there is found, and nothing is
// told twice.
std::vector<Detection> detect_in_free_regions(Detector& detector, const ImageView& image,
                                              std::span<const Box> occupied, double smallest_face_px);

// Upright rectangles of the picture, overlapping where they must, that hold every box which is at least
// `smallest` wide and high and does not overlap with the inner part of an occupied one. The whole picture
// where that costs less.
std::vector<Box> free_regions(int width, int height, std::span<const Box> occupied, double smallest);

}  // namespace spiga::vision
