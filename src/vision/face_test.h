// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "scheme/scheme.h"
#include "spiga/face.h"

namespace spiga::vision {

// What tells a face from something else that the network was made to look at. All are small for faces.
struct FaceSigns {
  double uncertainty = 0;  // mean expected error of the landmarks, in sides of their tight box
  double misfit = 0;  // how far they are from being a view of the 3-D mean face (root mean square), in sides
  double turn = 0;    // angle between that view's pose and the network's, in radians
};

// Judges whether landmarks are those of a face: by the network's own doubt, by whether a head could look like
// that, and by whether its two answers, landmarks and pose, agree. Immutable; safe from any thread.
class FaceTest {
 public:
  // The database must outlive the test.
  explicit FaceTest(const scheme::Database& database);

  FaceSigns signs(const Face& face) const;
  // 0 to 1; bench/face_test.cc measured how well it tells, docs/video.md has the result.
  float likelihood(const Face& face) const;

 private:
  const scheme::Database& database_;
  std::vector<scheme::Point3> points_;  // [L] world points, centred
  std::vector<scheme::Point3> pseudo_;  // [L] rows of their pseudo-inverse: camera = sum of image * row
};

}  // namespace spiga::vision
