// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <vector>

namespace spiga {

// A place in a picture: x to the right, y down, in pixels; (0, 0) is the top left pixel, as in the
// annotations of the landmark databases.
struct Point {
  float x = 0;
  float y = 0;
};

// An upright rectangle in picture pixels: top left corner and size. A face's box is the tight box of its
// landmarks.
struct Box {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;
};

// Head pose as SPIGA defines it (docs/head-pose.md), relative to the camera of the face's crop.
struct HeadPose {
  float yaw_deg = 0;
  float pitch_deg = 0;
  float roll_deg = 0;
  std::array<float, 3> translation = {0, 0,
                                      0};  // in units of the 3-D mean face, focal length 1.5 crop widths
};

// What the landmarker says of one face.
struct Face {
  Box box;                       // the box that was looked at
  float score = 1;               // the detector's score, in its own scale
  float confidence = 1;          // probability that this is a face (Detection::confidence); 1 for given boxes
  std::vector<Point> landmarks;  // [L] in picture pixels, in the order of the database's landmark ids
  std::vector<float>
      uncertainty;  // [L] expected error of each landmark in picture pixels; larger is less certain
  HeadPose headpose;
};

}  // namespace spiga
