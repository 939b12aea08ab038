// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "media/video_source.h"
#include "spiga/image.h"

namespace spiga::media {

// FFmpeg and OpenCV write to the terminal unless told otherwise; ours never do. Before any use of videoio.
void silence_video_libraries();

// What OpenCV's VideoCapture can do, as an interface, so that tests can play damaged files and cameras that
// are pulled out.
class Capture {
 public:
  virtual ~Capture() = default;
  // Nothing: the end, or a failure; OpenCV does not tell which.
  virtual std::optional<Image> read() = 0;
  // Of the last frame, as the container says; 0 where it does not.
  virtual double position_s() const = 0;
  virtual double fps() const = 0;           // 0: unknown
  virtual std::int64_t frames() const = 0;  // 0 or less: unknown
};

// Throws Error(not_found), Error(bad_data).
std::unique_ptr<Capture> open_file_capture(const std::string& path);
// Throws Error(not_found).
std::unique_ptr<Capture> open_camera_capture(int number);

// A file's frames. Frames that the container promises and that cannot be read become a problem at the end.
std::unique_ptr<VideoSource> make_file_source(const std::string& name, std::unique_ptr<Capture> capture);

// A camera's frames, as they come. next() throws Error(io) where none comes for `patience`.
std::unique_ptr<VideoSource> make_camera_source(const std::string& name, std::unique_ptr<Capture> capture,
                                                std::function<bool()> stop,
                                                std::chrono::milliseconds patience = std::chrono::seconds(2));

}  // namespace spiga::media
