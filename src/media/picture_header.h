// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::media {

enum class PictureFormat { jpeg, png, bmp, webp, tiff, pnm };

// What a picture file says of itself before anything is decoded.
struct PictureHeader {
  PictureFormat format = PictureFormat::jpeg;
  std::int64_t width = 0;
  std::int64_t height = 0;
};

// Reads format and size from the file's first bytes, and, where the format marks its end (JPEG, PNG), walks
// to it, so that a file cut short is told from a whole one. Reads nothing outside `bytes`, allocates nothing.
// Throws Error(bad_data), prefixed with `name`: no picture of a known format, cut short (with the place), no
// size.
PictureHeader read_picture_header(std::span<const std::uint8_t> bytes, std::string_view name);

// Whether the first bytes are those of a known format, whatever the rest is.
bool is_known_picture(std::span<const std::uint8_t> bytes);

// A PNG with only what decoding needs: header, palette, transparency, pixels. Text, colour profiles and the
// like can be compressed bombs themselves and make libpng print warnings. `png` must have passed
// read_picture_header.
std::vector<std::uint8_t> essential_png(std::span<const std::uint8_t> png);

// By extension, in any case: "a.JPG". For choosing files of a folder.
bool has_picture_extension(std::string_view file_name);

}  // namespace spiga::media
