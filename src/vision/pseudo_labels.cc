// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/pseudo_labels.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace spiga::vision {
namespace {

struct Change {
  float x, y, scale;  // of the box, in parts of its sides
};
constexpr std::array<Change, kPseudoLabelLooks> kChanges = {{{0.05f, 0.05f, 1},
                                                             {-0.05f, 0.05f, 1},
                                                             {0.05f, -0.05f, 1},
                                                             {-0.05f, -0.05f, 1},
                                                             {0, 0, 0.92f},
                                                             {0, 0, 1.08f}}};

Landmarker with_quality(const Landmarker& landmarker, Quality quality) {
  LandmarkerOptions options = landmarker.options();
  options.quality = quality;
  return Landmarker(landmarker.model(), options);
}

Box tight_box(std::span<const Point> landmarks) {
  const auto [left, right] = std::minmax_element(landmarks.begin(), landmarks.end(),
                                                 [](const Point& a, const Point& b) { return a.x < b.x; });
  const auto [top, bottom] = std::minmax_element(landmarks.begin(), landmarks.end(),
                                                 [](const Point& a, const Point& b) { return a.y < b.y; });
  return {left->x, top->y, right->x - left->x, bottom->y - top->y};
}

Box changed(const Box& box, const Change& change) {
  const float width = box.width * change.scale, height = box.height * change.scale;
  return {box.x + 0.5f * (box.width - width) + change.x * box.width,
          box.y + 0.5f * (box.height - height) + change.y * box.height, width, height};
}

}  // namespace

PseudoLabeller::PseudoLabeller(const Landmarker& landmarker)
    : best_(with_quality(landmarker, Quality::best)), once_(with_quality(landmarker, Quality::fast)) {}

std::vector<PseudoLabel> PseudoLabeller::label(const ImageView& image,
                                               std::span<const Detection> detections) {
  std::vector<PseudoLabel> labels;
  std::vector<Box> boxes;
  for (Face& face : best_.locate(image, detections)) {
    PseudoLabel label{tight_box(face.landmarks), face.confidence, std::move(face.landmarks), {}};
    for (const Change& change : kChanges) boxes.push_back(changed(label.box, change));
    labels.push_back(std::move(label));
  }
  // Landmarks that lie outside the picture altogether leave no box to look at: such a face has no agreement.
  std::vector<Face> looks;
  for (const Box& box : boxes) {
    const bool outside = !(box.width > 0 && box.height > 0) || box.x >= static_cast<float>(image.width) ||
                         box.y >= static_cast<float>(image.height) || box.x + box.width <= 0 ||
                         box.y + box.height <= 0;
    looks.push_back(outside ? Face{} : once_.locate(image, box));
  }
  for (std::size_t f = 0; f < labels.size(); ++f) {
    PseudoLabel& label = labels[f];
    const float side = std::sqrt(std::max(label.box.width * label.box.height, 1e-6f));
    for (std::size_t i = 0; i < label.landmarks.size(); ++i) {
      double sum = 0;
      for (std::size_t v = 0; v < kChanges.size(); ++v) {
        const Face& look = looks[f * kChanges.size() + v];
        if (look.landmarks.empty()) {
          sum = INFINITY;
          break;
        }
        const double distance = std::hypot(look.landmarks[i].x - label.landmarks[i].x,
                                           look.landmarks[i].y - label.landmarks[i].y);
        sum += distance * distance / static_cast<double>(kChanges.size());
      }
      label.difference.push_back(static_cast<float>(std::sqrt(sum)) / side);
    }
  }
  return labels;
}

}  // namespace spiga::vision
