// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "spiga/image.h"

namespace spiga::media {

// A bgr8 picture as the bytes of a file in the format of the extension (".jpg" at quality 92, ".png",
// ".webp",
// ".bmp", ".tif"). Throws Error(invalid_argument) for another extension or pixel format.
std::vector<std::uint8_t> encode_picture(const Image& picture, const std::string& extension);

// Writes the picture in the format of the path's extension; the file appears whole or not at all. Throws
// Error: as encode_picture, not_found where the folder is absent, io where writing fails.
void write_picture(const std::filesystem::path& path, const Image& picture);

}  // namespace spiga::media
