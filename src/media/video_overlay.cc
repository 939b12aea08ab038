// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/video_overlay.h"

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

namespace spiga::media {
namespace {

// A small flag with the id, left above the face's box.
void draw_id(Image& picture, const TrackedFace& face, double scale) {
  cv::Mat pixels(picture.height(), picture.width(), CV_8UC3, picture.data());
  const Colour colour = colour_of_id(face.id);
  const std::string text = std::to_string(face.id);
  constexpr int kFont = cv::FONT_HERSHEY_DUPLEX;
  const double size = std::clamp(0.4 * scale, 0.4, 1.5);
  int below = 0;
  const cv::Size extent = cv::getTextSize(text, kFont, size, 1, &below);
  const int margin = std::max(2, extent.height / 3);
  const int width = extent.width + 2 * margin, height = extent.height + 2 * margin;
  const Box& box = face.face.box;
  const int left = std::clamp(static_cast<int>(box.x), 0, std::max(0, picture.width() - width));
  const int bottom = std::clamp(static_cast<int>(box.y) - 2, height, std::max(height, picture.height()));
  cv::rectangle(pixels, cv::Rect(left, bottom - height, width, height),
                cv::Scalar(colour.blue, colour.green, colour.red), cv::FILLED);
  cv::putText(pixels, text, {left + margin, bottom - margin}, kFont, size, cv::Scalar::all(16), 1,
              cv::LINE_AA);
}

}  // namespace

Colour colour_of_id(int id) {
  static constexpr std::array<Colour, 8> colours = {{{255, 202, 40},
                                                     {79, 195, 247},
                                                     {129, 230, 140},
                                                     {255, 138, 128},
                                                     {206, 147, 250},
                                                     {255, 171, 64},
                                                     {128, 222, 214},
                                                     {240, 240, 240}}};
  return colours[static_cast<std::size_t>(std::max(id, 0)) % colours.size()];
}

void draw_tracked_faces(Image& picture, std::span<const TrackedFace> faces, const scheme::Database& database,
                        const OverlayStyle& style) {
  std::vector<Face> found;
  for (const TrackedFace& face : faces) {
    if (face.found) found.push_back(face.face);
  }
  draw_faces(picture, found, database, style);
  for (const TrackedFace& face : faces) {
    if (face.found) draw_id(picture, face, std::max(face.face.box.width, face.face.box.height) / 110);
  }
}

}  // namespace spiga::media
