// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_reader.h"

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "media/picture_header.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

void check_limit(const PictureHeader& header, std::string_view name, const PictureLimits& limits) {
  constexpr std::int64_t kLongestSide = 1 << 20;  // that OpenCV decodes
  if (header.width <= limits.max_pixels / header.height &&
      std::max(header.width, header.height) <= kLongestSide)
    return;
  throw Error(ErrorCode::unsupported, std::string(name) + ": " + std::to_string(header.width) + " x " +
                                          std::to_string(header.height) +
                                          " pixels are more than the limit of " +
                                          std::to_string(limits.max_pixels));
}

[[noreturn]] void fail(std::string_view name, const std::string& what) {
  throw Error(ErrorCode::bad_data, std::string(name) + ": " + what);
}

// Gives an image's own memory to the first matrix that has its size, so that decoded pixels are there once.
class ImageMemory : public cv::MatAllocator {
 public:
  explicit ImageMemory(Image& image) : image_(image) {}

  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, std::size_t* step,
                         cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    const bool fits = !given_ && !data && dims == 2 && type == CV_8UC3 && sizes[0] == image_.height() &&
                      sizes[1] == image_.width();
    if (fits) given_ = true;
    return cv::Mat::getStdAllocator()->allocate(dims, sizes, type, fits ? image_.data() : data, step, flags,
                                                usage);
  }
  bool allocate(cv::UMatData* data, cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    return cv::Mat::getStdAllocator()->allocate(data, flags, usage);
  }
  void deallocate(cv::UMatData* data) const override { cv::Mat::getStdAllocator()->deallocate(data); }

 private:
  Image& image_;
  mutable bool given_ = false;
};

// What EXIF turns by a quarter comes in memory of OpenCV's and is copied.
Image decode(std::span<const std::uint8_t> bytes, const PictureHeader& header, std::string_view name) {
  const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::uint8_t*>(bytes.data()));
  Image image(static_cast<int>(header.width), static_cast<int>(header.height), PixelFormat::bgr8);
  ImageMemory memory(image);
  cv::Mat pixels;
  pixels.allocator = &memory;
  try {
    cv::imdecode(file, cv::IMREAD_COLOR, &pixels);  // turns by EXIF, 8 bits, B G R
  } catch (const cv::Exception& error) {
    fail(name, "the picture cannot be decoded: " + error.err);
  }
  if (pixels.empty()) fail(name, "the picture is damaged and cannot be decoded");
  if (pixels.data == image.data()) return image;
  const bool as_said = pixels.cols == image.width() && pixels.rows == image.height();
  const bool turned = pixels.cols == image.height() && pixels.rows == image.width();
  if (!as_said && !turned)
    fail(name, "the header says " + std::to_string(header.width) + " x " + std::to_string(header.height) +
                   " pixels, decoded are " + std::to_string(pixels.cols) + " x " +
                   std::to_string(pixels.rows));
  image = Image();  // before the other one is made
  image = Image(pixels.cols, pixels.rows, PixelFormat::bgr8);
  pixels.copyTo(cv::Mat(image.height(), image.width(), CV_8UC3, image.data()));
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
  if (header.format != PictureFormat::png) return decode(bytes, header, name);
  const std::vector<std::uint8_t> png = essential_png(bytes);
  return decode(png, header, name);
}

}  // namespace spiga::media
