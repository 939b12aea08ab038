// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// What video_writer.h says of paths; needs no library.
#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include "base/text.h"
#include "media/video_writer.h"
#include "spiga/error.h"

namespace spiga::media {

namespace fs = std::filesystem;

void check_video_path(const fs::path& path) {
  static constexpr std::array<std::string_view, 4> known = {".mp4", ".mov", ".mkv", ".avi"};
  if (std::ranges::find(known, path.extension().string()) == known.end())
    throw Error(ErrorCode::invalid_argument,
                base::concat(path.native(), ": expected a video's extension: .mp4, .mov, .mkv or .avi"));
  std::error_code ignored;
  const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  if (!fs::is_directory(folder, ignored))
    throw Error(ErrorCode::not_found, base::concat(path.native(), ": there is no such folder"));
}

std::uintmax_t free_space(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder.empty() ? fs::path(".") : folder, error);
  return error ? UINTMAX_MAX : space.available;
}

}  // namespace spiga::media
