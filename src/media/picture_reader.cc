// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_reader.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "media/jpeg_codec.h"
#include "media/picture_codec.h"
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

Image decoded(std::span<const std::uint8_t> bytes, const PictureHeader& header, std::string_view name) {
  if (header.format != PictureFormat::png) return codec::decode(bytes, header, name);
  const std::vector<std::uint8_t> png = essential_png(bytes);
  return codec::decode(png, header, name);
}

}  // namespace

void codec::refuse_size(const PictureHeader& header, std::int64_t width, std::int64_t height,
                        std::string_view name) {
  throw Error(ErrorCode::bad_data,
              base::concat(name, ": the header says ", header.width, " x ", header.height,
                           " pixels, decoded are ", width, " x ", height));
}

PictureFile PictureFile::read(const std::filesystem::path& path, const PictureLimits& limits) {
  PictureFile file;
  file.name_ = path.string();
  file.bytes_ = base::read_file(path, static_cast<std::size_t>(limits.max_file_bytes));
  file.header_ = read_picture_header(file.bytes(), file.name_);
  check_limit(file.header_, file.name_, limits);
  return file;
}

std::span<const std::uint8_t> PictureFile::bytes() const {
  return {reinterpret_cast<const std::uint8_t*>(bytes_.data()), bytes_.size()};
}

bool PictureFile::has_parts() const {
  return header_.format == PictureFormat::jpeg && codec::orientation_of_jpeg(bytes()) == 1;
}

Image PictureFile::decode() const { return decoded(bytes(), header_, name_); }

Image PictureFile::decode_reduced(int reduction) const {
  return codec::decode_jpeg(bytes(), header_, name_, reduction);
}

Image PictureFile::decode_rows(int first, int count) const {
  return codec::decode_jpeg_rows(bytes(), header_, name_, first, count);
}

Image read_picture(const std::filesystem::path& path, const PictureLimits& limits) {
  return PictureFile::read(path, limits).decode();
}

Image decode_picture(std::span<const std::uint8_t> bytes, std::string_view name,
                     const PictureLimits& limits) {
  const PictureHeader header = read_picture_header(bytes, name);
  check_limit(header, name, limits);
  return decoded(bytes, header, name);
}

}  // namespace spiga::media
