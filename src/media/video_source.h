// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spiga/image.h"

namespace spiga::media {

// One picture of a video.
struct Frame {
  std::int64_t index = 0;  // frames of the source before this one, those included that were skipped or lost
  double time_s = 0;       // since the first; grows strictly
  Image picture;           // bgr8
};

struct VideoInfo {
  std::string name;                    // as messages call it
  double fps = 0;                      // as the source says; kUsualFps where it does not
  std::optional<std::int64_t> frames;  // where known; containers may err
  bool live = false;                   // frames come when they come: who is late misses some
};

inline constexpr double kUsualFps = 25;

// Where a video's frames come from. One thread at a time.
class VideoSource {
 public:
  virtual ~VideoSource() = default;

  virtual const VideoInfo& info() const = 0;
  // The next frame, or nothing at the end, after which it must not be called again. Throws Error(io), naming
  // the source, where a live source falls silent or a stream cannot be read.
  virtual std::optional<Frame> next() = 0;
  // What went wrong on the way without ending the video, one line each, naming the source: complete after
  // the end.
  virtual std::vector<std::string> problems() const = 0;
};

struct VideoSourceOptions {
  double fps = 0;         // for sources that have none of their own (sequences, raw frames); 0: kUsualFps
  bool sequence = false;  // a folder's pictures are frames, in the natural order of their names
  std::function<bool()> stop = [] { return false; };  // asked while waiting; true ends the video
  std::chrono::milliseconds patience{5000};           // live streams: how long to wait for a frame
  std::chrono::milliseconds reconnect{0};             // and how long to try again where one broke
};

// Opens a video: a file or URL that OpenCV's FFmpeg reads (live where is_live_stream says so); "camera:N"; a
// folder of pictures with options.sequence; a pattern of numbered pictures such as "frames/%05d.png";
// "raw:WIDTHxHEIGHT", "raw:WIDTHxHEIGHT:FORMAT" (bgr8, rgb8, bgra8, rgba8, gray8) for raw frames on standard
// input. Throws Error, naming the source: not_found; bad_data where it is no video; invalid_argument.
std::unique_ptr<VideoSource> open_video(const std::string& name, const VideoSourceOptions& options = {});

// Whether the name can only mean a video: a camera, raw frames, a URL, a pattern, a video file's extension.
bool names_a_video(std::string_view name);

}  // namespace spiga::media
