// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "media/picture_header.h"
#include "spiga/image.h"

namespace spiga::media {

// What a picture may cost at most; a small file can claim to be an enormous picture.
struct PictureLimits {
  // 3 bytes each when decoded, and beside them only what the decoder holds of the file; pictures that EXIF
  // turns by a quarter are there twice for a moment. No side may be longer than 2^20.
  std::int64_t max_pixels = 256 * 1000 * 1000;
  std::int64_t max_file_bytes = 1024 * 1024 * 1024;
};

// The bytes of a picture file whose header was read; nothing is decoded yet. Safe from many threads.
class PictureFile {
 public:
  // Throws Error as read_picture.
  static PictureFile read(const std::filesystem::path& path, const PictureLimits& limits = {});

  // As the file stores it; EXIF may turn it.
  int width() const { return static_cast<int>(header_.width); }
  int height() const { return static_cast<int>(header_.height); }
  // Whether the following two can do other than the whole: an upright JPEG.
  bool has_parts() const;

  // As read_picture.
  Image decode() const;
  // Reduced by 2, 4 or 8, rounded up: pixel (x, y) shows what lies around (r (x + 0.5) - 0.5, ...).
  Image decode_reduced(int reduction) const;
  // Rows [first, first + count) of the picture.
  Image decode_rows(int first, int count) const;

 private:
  PictureFile() = default;
  std::span<const std::uint8_t> bytes() const;

  std::string name_;
  std::string bytes_;
  PictureHeader header_;
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
