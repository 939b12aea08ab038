// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <opencv2/imgcodecs.hpp>

#include "base/text.h"
#include "media/jpeg_codec.h"
#include "media/picture_codec.h"
#include "spiga/error.h"

namespace spiga::media::codec {
namespace {

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

}  // namespace

// What EXIF of a TIFF or PNG turns by a quarter comes in memory of OpenCV's and is copied.
Image decode(std::span<const std::uint8_t> bytes, const PictureHeader& header, std::string_view name) {
  if (header.format == PictureFormat::jpeg) return decode_jpeg(bytes, header, name);
  const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::uint8_t*>(bytes.data()));
  Image image(static_cast<int>(header.width), static_cast<int>(header.height), PixelFormat::bgr8);
  ImageMemory memory(image);
  cv::Mat pixels;
  pixels.allocator = &memory;
  try {
    cv::imdecode(file, cv::IMREAD_COLOR, &pixels);  // turns by EXIF, 8 bits, B G R
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::bad_data, base::concat(name, ": the picture cannot be decoded: ", error.err));
  }
  if (pixels.empty())
    throw Error(ErrorCode::bad_data, base::concat(name, ": the picture is damaged and cannot be decoded"));
  if (pixels.data == image.data()) return image;
  const bool as_said = pixels.cols == image.width() && pixels.rows == image.height();
  const bool turned = pixels.cols == image.height() && pixels.rows == image.width();
  if (!as_said && !turned) refuse_size(header, pixels.cols, pixels.rows, name);
  image = Image();  // before the other one is made
  image = Image(pixels.cols, pixels.rows, PixelFormat::bgr8);
  pixels.copyTo(cv::Mat(image.height(), image.width(), CV_8UC3, image.data()));
  return image;
}

std::vector<std::uint8_t> encode(const Image& picture, const std::string& extension, int jpeg_quality) {
  const cv::Mat pixels(picture.height(), picture.width(), CV_8UC3, const_cast<std::uint8_t*>(picture.data()));
  std::vector<std::uint8_t> bytes;
  try {
    if (cv::imencode(extension, pixels, bytes, {cv::IMWRITE_JPEG_QUALITY, jpeg_quality})) return bytes;
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::invalid_argument,
                "no picture can be written as '" + extension + "': " + error.err);
  }
  throw Error(ErrorCode::invalid_argument, "the picture cannot be encoded as '" + extension + "'");
}

}  // namespace spiga::media::codec
