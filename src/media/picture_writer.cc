// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_writer.h"

#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "base/file.h"
#include "spiga/error.h"

namespace spiga::media {

void write_picture(const std::filesystem::path& path, const Image& picture) {
  constexpr int kJpegQuality = 92;
  if (picture.format() != PixelFormat::bgr8)
    throw Error(ErrorCode::invalid_argument, path.string() + ": expected a picture in bgr8");
  const cv::Mat pixels(picture.height(), picture.width(), CV_8UC3, const_cast<std::uint8_t*>(picture.data()));
  std::vector<std::uint8_t> bytes;
  bool encoded = false;
  try {
    encoded =
        cv::imencode(path.extension().string(), pixels, bytes, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality});
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::invalid_argument, path.string() + ": no picture can be written: " + error.err);
  }
  if (!encoded) throw Error(ErrorCode::invalid_argument, path.string() + ": the picture cannot be encoded");
  base::AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace spiga::media
