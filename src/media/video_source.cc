// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/video_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "base/text.h"
#include "media/video_capture.h"
#include "media/video_frames.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

constexpr std::string_view kCamera = "camera:";
constexpr std::string_view kRaw = "raw:";
constexpr std::array<std::string_view, 21> kExtensions = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg",  ".mpeg", ".ts",    ".mts", ".m2ts",
    ".wmv", ".flv", ".ogv", ".3gp", ".h264", ".264", ".hevc", ".mjpg", ".mjpeg", ".gif"};

bool is_stream(std::string_view name) { return name.find("://") != std::string_view::npos; }

int camera_number(std::string_view name) {
  const auto number = base::parse_int(name.substr(kCamera.size()));
  if (!number || *number < 0 || *number > 255)
    throw Error(ErrorCode::invalid_argument,
                base::concat(name, ": expected camera:N with a number from 0 to 255"));
  return static_cast<int>(*number);
}

double sequence_fps(const VideoSourceOptions& options) {
  if (options.fps == 0) return kUsualFps;
  if (!(options.fps > 0 && options.fps <= 1000))
    throw Error(
        ErrorCode::invalid_argument,
        base::concat("frames per second: expected more than 0 and at most 1000, found ", options.fps));
  return options.fps;
}

std::unique_ptr<VideoSource> open_stream(const std::string& url, const VideoSourceOptions& options) {
  const auto open = [url, patience = options.patience] { return open_stream_capture(url, patience); };
  std::unique_ptr<Capture> capture = open();
  if (!is_live_stream(url, *capture)) return make_file_source(url, std::move(capture));
  return make_stream_source(url, std::move(capture), open, options.stop,
                            {.patience = options.patience, .reconnect = options.reconnect});
}

}  // namespace

std::optional<Frame> VideoSource::next_of(const FrameChoice& choice) {
  while (std::optional<Frame> frame = next()) {
    const FrameVerdict verdict = choice(frame->index, frame->time_s);
    if (verdict == FrameVerdict::take) return frame;
    if (verdict == FrameVerdict::end) break;
  }
  return std::nullopt;
}

bool names_a_video(std::string_view name) {
  return name.starts_with(kCamera) || name.starts_with(kRaw) || is_stream(name) || is_frame_pattern(name) ||
         has_video_extension(name);
}

bool has_video_extension(std::string_view file_name) {
  std::string extension = std::filesystem::path(file_name).extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

namespace {

std::unique_ptr<VideoSource> open_whole(const std::string& name, const VideoSourceOptions& options) {
  const double fps = sequence_fps(options);
  if (name.starts_with(kCamera))
    return make_camera_source(name, open_camera_capture(camera_number(name)), options.stop);
  if (name.starts_with(kRaw)) return open_raw_frames(parse_raw_format(name), fps, 0, options.stop);
  if (is_stream(name)) return open_stream(name, options);
  std::error_code ignored;
  if (options.sequence && std::filesystem::is_directory(name, ignored))
    return make_sequence_source(name, pictures_of_folder(name), fps);
  if (is_frame_pattern(name) && !std::filesystem::exists(name, ignored))
    return make_sequence_source(name, pictures_of_pattern(name), fps);
  if (options.sequence) throw Error(ErrorCode::not_found, name + ": expected a folder of pictures");
  return make_file_source(name, open_file_capture(name));
}

}  // namespace

std::unique_ptr<VideoSource> open_video(const std::string& name, const VideoSourceOptions& options) {
  std::unique_ptr<VideoSource> source = open_whole(name, options);
  return options.frames.all() ? std::move(source)
                              : select_frames(std::move(source), options.frames, options.stop);
}

}  // namespace spiga::media
