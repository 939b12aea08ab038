// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_writer.h"

#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "base/file.h"
#include "spiga/error.h"

namespace spiga::media {

std::vector<std::uint8_t> encode_picture(const Image& picture, const std::string& extension) {
  constexpr int kJpegQuality = 92;
  if (picture.format() != PixelFormat::bgr8)
    throw Error(ErrorCode::invalid_argument, "picture to be encoded: expected bgr8");
  const cv::Mat pixels(picture.height(), picture.width(), CV_8UC3, const_cast<std::uint8_t*>(picture.data()));
  std::vector<std::uint8_t> bytes;
  try {
    if (cv::imencode(extension, pixels, bytes, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality})) return bytes;
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::invalid_argument,
                "no picture can be written as '" + extension + "': " + error.err);
  }
  throw Error(ErrorCode::invalid_argument, "the picture cannot be encoded as '" + extension + "'");
}

void write_picture(const std::filesystem::path& path, const Image& picture) {
  std::vector<std::uint8_t> bytes;
  try {
    bytes = encode_picture(picture, path.extension().string());
  } catch (const Error& error) {
    throw Error(error.code(), path.string() + ": " + error.what());
  }
  base::AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace spiga::media
