// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "media/picture_header.h"
#include "spiga/image.h"

// JPEG by libjpeg-turbo itself, for picture_reader.cc and the codecs alone: faster than OpenCV around it, and
// it can decode a picture reduced or in part. `header` is that of `bytes`, its size one that may be
// allocated.
namespace spiga::media::codec {

// As EXIF has it, 1 to 8; 1, upright, where it says none.
int orientation_of_jpeg(std::span<const std::uint8_t> jpeg);

// As codec::decode. Reduced by 1, 2, 4 or 8, rounded up, in the cosine transform: about the mean of so many
// by so many pixels, for less than half the time.
Image decode_jpeg(std::span<const std::uint8_t> bytes, const PictureHeader& header, std::string_view name,
                  int reduction = 1);

// Rows [first, first + count) as they are stored, not turned.
Image decode_jpeg_rows(std::span<const std::uint8_t> bytes, const PictureHeader& header,
                       std::string_view name, int first, int count);

// Throws Error(invalid_argument).
std::vector<std::uint8_t> encode_jpeg(const Image& picture, int quality);

}  // namespace spiga::media::codec
