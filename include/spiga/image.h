// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spiga {

enum class PixelFormat { bgr8, rgb8, bgra8, rgba8, gray8 };

constexpr int channels_of(PixelFormat format) {
  return format == PixelFormat::gray8                                   ? 1
         : (format == PixelFormat::bgr8 || format == PixelFormat::rgb8) ? 3
                                                                        : 4;
}

// Pixels that somebody else owns; valid as long as they are. Row y starts at data + y * stride_bytes.
struct ImageView {
  const std::uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  std::ptrdiff_t stride_bytes = 0;
  PixelFormat format = PixelFormat::bgr8;
};

// Pixels of its own, rows without gaps.
class Image {
 public:
  Image() = default;
  Image(int width, int height, PixelFormat format)
      : width_(width),
        height_(height),
        format_(format),
        pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                static_cast<std::size_t>(channels_of(format))) {}

  int width() const { return width_; }
  int height() const { return height_; }
  PixelFormat format() const { return format_; }
  std::ptrdiff_t stride_bytes() const { return static_cast<std::ptrdiff_t>(width_) * channels_of(format_); }
  std::uint8_t* data() { return pixels_.data(); }
  const std::uint8_t* data() const { return pixels_.data(); }
  ImageView view() const { return {pixels_.data(), width_, height_, stride_bytes(), format_}; }

 private:
  int width_ = 0;
  int height_ = 0;
  PixelFormat format_ = PixelFormat::bgr8;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace spiga
