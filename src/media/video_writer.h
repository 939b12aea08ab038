// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "spiga/image.h"

namespace spiga::media {

// How many bytes the file system of a folder still takes.
using FreeSpace = std::function<std::uintmax_t(const std::filesystem::path& folder)>;
std::uintmax_t free_space(const std::filesystem::path& folder);

// Throws Error(invalid_argument) where the extension is not one that VideoWriter knows, Error(not_found)
// where there is no such folder.
void check_video_path(const std::filesystem::path& path);

// Writes pictures as a video: H.264 where this OpenCV can, else MPEG-4 part 2. The file appears with
// finish(), and only whole: a container without its end is worth nothing. One thread at a time.
class VideoWriter {
 public:
  // The format follows the extension: .mp4, .mov, .mkv or .avi. Sides are made even. Throws
  // Error: as check_video_path; invalid_argument; unsupported where nothing can encode it.
  VideoWriter(const std::filesystem::path& path, double fps, int width, int height,
              FreeSpace space = free_space);
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;
  ~VideoWriter();  // without finish(), nothing is left

  // A bgr8 picture; one of another size is shrunk or enlarged to fit, with black borders. Throws Error(io)
  // before the disk is full, while there is still room for the container's end: finish() then gives a
  // video of the frames until here.
  void write(const Image& picture);

  // Throws Error(io) where the file does not hold all frames.
  void finish();

  std::int64_t frames() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::media
