// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spiga/face.h"
#include "spiga/face3d.h"
#include "spiga/image.h"

// Views of a face that no camera took: the head is fitted to the landmarks and gives the picture's pixels a
// depth, the background lies behind it, and the whole is turned and seen again. The idea is that of 300W-LP
// (Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", CVPR 2016, section 5); the head is
// ICT-FaceKit's.
namespace spiga::views {

// A face with the 68 landmarks of the 300-W mark-up in a picture, pixel indices.
struct MarkedFace {
  Box box;                           // tight box of the landmarks
  std::vector<Point> landmarks;      // [68]
  std::vector<float> visible;        // [68] 1: seen, or marked where it would be seen; 0: nobody knows
  std::optional<HeadPose> headpose;  // before the camera of the box's crop (docs/head-pose.md)
};

struct TurnedView {
  Image picture;  // bgr8
  MarkedFace face;
};

// By how much the head is turned further, through its middle: first about the camera's x axis, then y;
// degrees, signed as HeadPose's angles.
struct Turn {
  double yaw_deg = 0;
  double pitch_deg = 0;
};

// What a view must hold to be used; the defaults come from looking at a few hundred.
struct ViewLimits {
  int side = 320;                  // of the view in pixels
  double margin = 2.5;             // the view's side in larger sides of the face's box
  double most_residual = 0.035;    // of the head's fit, in larger sides of the box
  double most_stretched = 0.32;    // share of the face's pixels that are drawn out more than stretch_limit
  double stretch_limit = 4;        // times, in one direction
  double hidden_contour_yaw = 30;  // degrees from which the far side's contour is nobody's knowledge
};

// Turns the face. `background` fills what no pixel of the picture covers (of any size; may be the picture
// itself). Nothing, and `why` in a few words, where the result would be no good: landmarks missing, the head
// does not fit them, the view is drawn out too much or leaves the picture. Stateless; safe from any thread.
std::optional<TurnedView> turn_view(const FaceModel& head, const MarkedFace& face, const ImageView& picture,
                                    const ImageView& background, const Turn& turn, const ViewLimits& limits,
                                    std::string& why);

// The yaw and pitch at which the fitted head looks past the camera, degrees; nothing where it does not fit.
std::optional<std::array<double, 2>> angles_of(const FaceModel& head, const MarkedFace& face,
                                               const ImageView& picture, const ViewLimits& limits);

}  // namespace spiga::views
