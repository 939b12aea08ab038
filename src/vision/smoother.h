// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <complex>
#include <optional>
#include <span>
#include <vector>

#include "scheme/scheme.h"
#include "spiga/face.h"
#include "vision/switching_filter.h"

namespace spiga::vision {

// Removes the trembling of one face's landmarks and pose from frame to frame (docs/video.md): causal, so
// that it works live. A face is taken apart into where the head is in the picture (translation, turn, size),
// the shape of each part (jaw, brows, nose, eyes, mouth) relative to that, and the head pose; each runs
// through a SwitchingFilter, whose measurement noise is a share of the landmarks' uncertainty.
class Smoother {
 public:
  // `strength` times the usual trembling is expected; 0 leaves landmarks and angles as they are. Throws
  // Error(invalid_argument) unless 0 <= strength <= 10. The database must outlive the smoother.
  Smoother(const scheme::Database& database, double strength);

  // The face of the next frame, steadied: landmarks, head pose, and the box, which becomes the tight box of
  // the landmarks; the head pose's translation is told relative to that box's crop. Time must not run
  // backwards; after a gap of more than half a second it starts anew.
  // Throws Error(invalid_argument) where the face has not the database's number of landmarks.
  Face next(const Face& face, double time_s);

 private:
  struct Part {
    std::vector<int> landmarks;
    SwitchingFilter filter;
  };
  // A face of the mean shape: image = turn_and_size * shape + centre, in complex numbers.
  struct Place {
    std::complex<double> centre;
    double log_size = 0;  // of its side in pixels
    double turn = 0;      // radians
  };

  void restart();
  Place place_of(const std::vector<Point>& landmarks) const;
  Place steady_place(const Place& place, double noise, double seconds);
  void steady_shape(std::span<std::complex<double>> shape, std::span<const float> uncertainty, double size,
                    double seconds);
  HeadPose steady_pose(const Face& face, double noise, double seconds, const Box& box);

  const scheme::Database& database_;
  double strength_;
  std::vector<std::complex<double>> mean_shape_;  // [L] centred, its box's larger side is 1
  std::vector<Part> parts_;
  SwitchingFilter place_, angles_, distance_;
  std::optional<double> last_time_s_;
  double last_turn_ = 0;
  std::array<double, 3> last_angles_ = {};
};

}  // namespace spiga::vision
