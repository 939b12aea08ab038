// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "media/video_source.h"

// Videos that need no container: numbered pictures, and raw frames from a stream.
namespace spiga::media {

// Whether the name holds one printf-like number, "%d" or "%05d".
bool is_frame_pattern(std::string_view name);

// The pictures that there are, in the order of their numbers, or of their names with numbers counted as such
// ("frame9" before "frame10"). Throws Error(not_found) where there are none.
std::vector<std::filesystem::path> pictures_of_pattern(const std::string& pattern);
std::vector<std::filesystem::path> pictures_of_folder(const std::string& folder);

// A picture that cannot be read becomes a problem; the frame's number is left out.
std::unique_ptr<VideoSource> make_sequence_source(const std::string& name,
                                                  std::vector<std::filesystem::path> pictures, double fps);

struct RawFormat {
  int width = 0;
  int height = 0;
  PixelFormat format = PixelFormat::bgr8;
};

// "raw:480x270" or "raw:480x270:rgb8". Throws Error(invalid_argument).
RawFormat parse_raw_format(std::string_view name);

// Frames without gaps from a file descriptor (0: standard input), which stays the caller's. A last frame that
// is cut short becomes a problem. Reading waits, but asks `stop` ten times a second.
std::unique_ptr<VideoSource> open_raw_frames(const RawFormat& format, double fps, int descriptor,
                                             std::function<bool()> stop);

}  // namespace spiga::media
