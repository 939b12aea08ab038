// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "spiga/image.h"

namespace spiga::media {

// What a picture may cost at most; a small file can claim to be an enormous picture.
struct PictureLimits {
  // 3 bytes each when decoded, and beside them only what the decoder holds of the file; pictures that EXIF
  // turns by a quarter are there twice for a moment. No side may be longer than 2^20.
  std::int64_t max_pixels = 256 * 1000 * 1000;
  std::int64_t max_file_bytes = 1024 * 1024 * 1024;
};

// Decodes JPEG, PNG, BMP, WebP, TIFF or PNM to bgr8, upright as its EXIF orientation says: grey becomes three
// equal channels, 16 bits become 8, transparency is ignored. Safe from many threads. Throws Error, the
// message beginning with the file's name: not_found; io; bad_data where it is no picture or is cut short or
// damaged; unsupported where it exceeds the limits.
Image read_picture(const std::filesystem::path& path, const PictureLimits& limits = {});

// The same for a file already in memory; `name` is what messages call it.
Image decode_picture(std::span<const std::uint8_t> bytes, std::string_view name,
                     const PictureLimits& limits = {});

}  // namespace spiga::media
