// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/picture_header.h"
#include "spiga/image.h"

// The library that turns files into pixels and back: OpenCV's imgcodecs (opencv_codec.cc) or, where that is
// left out, libjpeg, libpng and libwebp (direct_codec.cc). For picture_reader.cc and picture_writer.cc alone.
namespace spiga::media::codec {

// A bgr8 picture, turned as a JPEG's EXIF says. `header` is that of `bytes`, and its size is one that may be
// allocated. Throws Error(bad_data), Error(unsupported) of a format that this codec lacks, both prefixed with
// `name`.
Image decode(std::span<const std::uint8_t> bytes, const PictureHeader& header, std::string_view name);

// A bgr8 picture in the format of `extension` (".png"); JPEG with this quality, 0 to 100. Throws
// Error(invalid_argument).
std::vector<std::uint8_t> encode(const Image& picture, const std::string& extension, int jpeg_quality);

// Error(bad_data), where a file's pixels are not those that its header promised.
[[noreturn]] void refuse_size(const PictureHeader& header, std::int64_t width, std::int64_t height,
                              std::string_view name);

}  // namespace spiga::media::codec
