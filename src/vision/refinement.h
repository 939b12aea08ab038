// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "scheme/scheme.h"
#include "spiga/landmarker.h"
#include "spiga/quality.h"

namespace spiga::vision {

// Looks at faces more than once: what the first look told makes the second crop, turned upright, centred and
// as large as the face. Several looks at a face are averaged, landmarks weighted by the inverse square of
// their uncertainty.
//
// A second look is taken through a picture of its own, of input_size pixels, so that the network's crop is
// that very picture. Stateless; safe from any thread as far as `locate` is.
class Refinement {
 public:
  // One network look at each request, in order.
  using Locate = std::function<std::vector<Face>(std::span<const FaceRequest>)>;

  // `database` must outlive it. input_size: side of the network's crop in pixels.
  Refinement(const scheme::Database& database, Quality quality, int input_size = 256)
      : database_(database), quality_(quality), input_size_(input_size) {}

  // The faces of the requests, in their order; boxes and scores as they were asked for, head poses as the
  // boxes' crops see them. Throws what `locate` throws.
  std::vector<Face> locate(std::span<const FaceRequest> requests, const Locate& locate) const;

 private:
  struct View;
  std::vector<Face> look(std::span<const FaceRequest> requests, std::span<const View> views,
                         const Locate& locate) const;
  View upright_view(const FaceRequest& request, const Face& face, std::size_t index) const;
  void try_other_sides(std::span<const FaceRequest> requests, const Locate& locate,
                       std::vector<Face>& faces) const;
  void turn_upright(std::span<const FaceRequest> requests, const Locate& locate,
                    std::vector<Face>& faces) const;
  void average_views(std::span<const FaceRequest> requests, const Locate& locate,
                     std::vector<Face>& faces) const;

  const scheme::Database& database_;
  Quality quality_;
  int input_size_;
};

// Angle by which the mean face has to be turned to lie on the landmarks (least squares, weighted by the
// inverse square of the uncertainty), degrees in [-180, 180], positive clockwise on the screen.
double roll_of_landmarks(const scheme::Database& database, const Face& face);

}  // namespace spiga::vision
