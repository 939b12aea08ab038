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

// Whether a frame is wanted, by its place and time alone.
enum class FrameVerdict { take, pass_over, end };
using FrameChoice = std::function<FrameVerdict(std::int64_t index, double time_s)>;

// Where a video's frames come from. One thread at a time.
class VideoSource {
 public:
  virtual ~VideoSource() = default;

  virtual const VideoInfo& info() const = 0;
  // The next frame, or nothing at the end, after which it must not be called again. Throws Error(io), naming
  // the source, where a live source falls silent or a stream cannot be read.
  virtual std::optional<Frame> next() = 0;
  // The next frame that `choice` takes; the ones that it passes over are not turned into pictures where the
  // source can do without. Nothing at the end, and where `choice` ends the video.
  virtual std::optional<Frame> next_of(const FrameChoice& choice);
  // What went wrong on the way without ending the video, one line each, naming the source: complete after
  // the end.
  virtual std::vector<std::string> problems() const = 0;
};

// A part of a video. Times are those of its frames, from the first one on.
struct FrameSelection {
  double start_s = 0;
  std::optional<double> end_s = {};  // the first frame at or behind it is not in
  int every = 1;                     // one frame in so many, counted from the first that is in

  bool all() const { return start_s <= 0 && !end_s && every == 1; }
};

struct VideoSourceOptions {
  double fps = 0;         // for sources that have none of their own (sequences, raw frames); 0: kUsualFps
  bool sequence = false;  // a folder's pictures are frames, in the natural order of their names
  std::function<bool()> stop = [] { return false; };  // asked while waiting; true ends the video
  std::chrono::milliseconds patience{5000};           // live streams: how long to wait for a frame
  std::chrono::milliseconds reconnect{0};             // and how long to try again where one broke
  FrameSelection frames = {};                         // frames keep their numbers and times
};

// Opens a video: a file or URL that OpenCV's FFmpeg reads (live where is_live_stream says so); "camera:N"; a
// folder of pictures with options.sequence; a pattern of numbered pictures such as "frames/%05d.png";
// "raw:WIDTHxHEIGHT", "raw:WIDTHxHEIGHT:FORMAT" (bgr8, rgb8, bgra8, rgba8, gray8) for raw frames on standard
// input. Throws Error, naming the source: not_found; bad_data where it is no video; invalid_argument.
std::unique_ptr<VideoSource> open_video(const std::string& name, const VideoSourceOptions& options = {});

// Whether the name can only mean a video: a camera, raw frames, a URL, a pattern, a video file's extension.
bool names_a_video(std::string_view name);
// By extension alone, in any case: "a.MP4". An animated GIF is a video. For choosing files of a folder.
bool has_video_extension(std::string_view file_name);

// The frames of `source` that are selected. A start behind the end is a problem. `stop` is asked at each
// frame; true ends the video.
std::unique_ptr<VideoSource> select_frames(std::unique_ptr<VideoSource> source,
                                           const FrameSelection& selection, std::function<bool()> stop = {});

}  // namespace spiga::media
