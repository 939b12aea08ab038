// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

#include "spiga/image.h"

namespace spiga::media {

// Writes a bgr8 picture in the format of the path's extension (.jpg at quality 92, .png, .webp, .bmp, .tif);
// the file appears whole or not at all. Throws Error: invalid_argument for an extension that says no format,
// not_found where the folder is absent, io where writing fails.
void write_picture(const std::filesystem::path& path, const Image& picture);

}  // namespace spiga::media
