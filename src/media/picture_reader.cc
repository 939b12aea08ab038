// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_reader.h"

#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "media/picture_header.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

void check_limit(const PictureHeader& header, std::string_view name, const PictureLimits& limits) {
  if (header.width <= limits.max_pixels / header.height) return;
  throw Error(ErrorCode::unsupported, std::string(name) + ": " + std::to_string(header.width) + " x " +
                                          std::to_string(header.height) +
                                          " pixels are more than the limit of " +
                                          std::to_string(limits.max_pixels));
}

cv::Mat decode(std::span<const std::uint8_t> bytes, std::string_view name) {
  const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::uint8_t*>(bytes.data()));
  try {
    cv::Mat pixels = cv::imdecode(file, cv::IMREAD_COLOR);  // turns by EXIF, 8 bits, B G R
    if (!pixels.empty()) return pixels;
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::bad_data, std::string(name) + ": the picture cannot be decoded: " + error.err);
  }
  throw Error(ErrorCode::bad_data, std::string(name) + ": the picture is damaged and cannot be decoded");
}

Image to_image(const cv::Mat& pixels) {
  Image image(pixels.cols, pixels.rows, PixelFormat::bgr8);
  for (int y = 0; y < pixels.rows; ++y)
    std::memcpy(image.data() + y * image.stride_bytes(), pixels.ptr(y),
                static_cast<std::size_t>(image.stride_bytes()));
  return image;
}

}  // namespace

Image read_picture(const std::filesystem::path& path, const PictureLimits& limits) {
  const std::string bytes = base::read_file(path, static_cast<std::size_t>(limits.max_file_bytes));
  return decode_picture({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path.string(),
                        limits);
}

Image decode_picture(std::span<const std::uint8_t> bytes, std::string_view name,
                     const PictureLimits& limits) {
  const PictureHeader header = read_picture_header(bytes, name);
  check_limit(header, name, limits);
  if (header.format != PictureFormat::png) return to_image(decode(bytes, name));
  const std::vector<std::uint8_t> png = essential_png(bytes);
  return to_image(decode(png, name));
}

}  // namespace spiga::media
