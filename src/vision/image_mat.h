// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <opencv2/imgproc.hpp>

#include "spiga/error.h"
#include "spiga/image.h"

namespace spiga::vision {

// The picture's pixels as OpenCV sees them, without a copy; channels stay in the picture's order.
// Throws Error(invalid_argument) where there are none.
inline cv::Mat as_mat(const ImageView& image) {
  if (!image.data || image.width <= 0 || image.height <= 0)
    throw Error(ErrorCode::invalid_argument, "picture: expected pixels, found " +
                                                 std::to_string(image.width) + " x " +
                                                 std::to_string(image.height));
  return cv::Mat(image.height, image.width, CV_MAKETYPE(CV_8U, channels_of(image.format)),
                 const_cast<std::uint8_t*>(image.data), static_cast<std::size_t>(image.stride_bytes));
}

// The pixels as B G R; the same ones where they already are.
inline void to_bgr(const cv::Mat& pixels, PixelFormat format, cv::Mat& bgr) {
  switch (format) {
    case PixelFormat::rgb8:
      return cv::cvtColor(pixels, bgr, cv::COLOR_RGB2BGR);
    case PixelFormat::bgra8:
      return cv::cvtColor(pixels, bgr, cv::COLOR_BGRA2BGR);
    case PixelFormat::rgba8:
      return cv::cvtColor(pixels, bgr, cv::COLOR_RGBA2BGR);
    case PixelFormat::gray8:
      return cv::cvtColor(pixels, bgr, cv::COLOR_GRAY2BGR);
    default:
      bgr = pixels;
  }
}

}  // namespace spiga::vision
