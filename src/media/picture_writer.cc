// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_writer.h"

#include "base/file.h"
#include "media/picture_codec.h"
#include "spiga/error.h"

namespace spiga::media {

std::vector<std::uint8_t> encode_picture(const Image& picture, const std::string& extension) {
  constexpr int kJpegQuality = 92;
  if (picture.format() != PixelFormat::bgr8)
    throw Error(ErrorCode::invalid_argument, "picture to be encoded: expected bgr8");
  return codec::encode(picture, extension, kJpegQuality);
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
