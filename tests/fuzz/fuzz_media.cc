// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz/support.h"
#include "media/frame_boxes.h"
#include "media/picture_header.h"
#include "media/picture_reader.h"

namespace spiga::fuzz {

void fuzz_picture_header(Bytes bytes) {
  expect_error_or_success([&] {
    const media::PictureHeader header = media::read_picture_header(bytes, "fuzz");
    require(header.width > 0 && header.height > 0);
    if (header.format != media::PictureFormat::png) return;
    require(media::essential_png(bytes).size() <= bytes.size());
  });
}

void fuzz_picture(Bytes bytes) {
  constexpr media::PictureLimits kLimits = {.max_pixels = 1 << 16, .max_file_bytes = 1 << 20};
  expect_error_or_success([&] {
    const Image image = media::decode_picture(bytes, "fuzz", kLimits);
    require(image.width() > 0 && image.height() > 0);
    require(std::int64_t{image.width()} * image.height() <= kLimits.max_pixels);
    require(image.format() == PixelFormat::bgr8);
  });
}

void fuzz_boxes(Bytes bytes) {
  static MemoryFile file;
  file.fill(bytes);
  expect_error_or_success([&] {
    const media::FrameBoxes boxes(
        file.path(), [](const std::string& message) { require(message.find('\n') == std::string::npos); });
    for (const Detection& one : boxes.at(0)) require(one.box.width > 0 && one.box.height > 0);
  });
}

}  // namespace spiga::fuzz
