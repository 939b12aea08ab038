// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

// Picture files made by the tests.
namespace spiga::testing {

// The bytes of the pixels in the format of the extension (".png").
inline std::string encoded(const cv::Mat& pixels, const std::string& extension) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(extension, pixels, bytes);
  return {bytes.begin(), bytes.end()};
}

// A JPEG with an EXIF segment that holds nothing but the orientation, 1 to 8.
inline std::string with_orientation(const std::string& jpeg, int orientation) {
  const std::string exif("Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0", 25);
  std::string segment = exif + static_cast<char>(orientation) + std::string("\0\0\0\0\0\0", 6);
  const auto length = static_cast<char>(segment.size() + 2);
  return jpeg.substr(0, 2) + "\xFF\xE1" + std::string(1, '\0') + length + segment + jpeg.substr(2);
}

// width x height, four quarters: blue, green / red, white.
inline cv::Mat quarters(int width, int height) {
  cv::Mat pixels(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool right = x >= width / 2, low = y >= height / 2;
      pixels.at<cv::Vec3b>(y, x) = low ? (right ? cv::Vec3b(255, 255, 255) : cv::Vec3b(0, 0, 255))
                                       : (right ? cv::Vec3b(0, 255, 0) : cv::Vec3b(255, 0, 0));
    }
  return pixels;
}

}  // namespace spiga::testing
