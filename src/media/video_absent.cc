// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// In place of opencv_capture.cc and video_writer.cc where OpenCV's videoio is left out.
#include "base/left_out.h"
#include "media/video_capture.h"
#include "media/video_writer.h"

namespace spiga::media {
namespace {

constexpr const char* kOption = "SPIGA_WITH_VIDEO";

}  // namespace

void silence_video_libraries() {}

std::unique_ptr<Capture> open_file_capture(const std::string& path) {
  base::left_out(path + ": video files", kOption);
}

std::unique_ptr<Capture> open_stream_capture(const std::string& url, std::chrono::milliseconds) {
  base::left_out(url + ": streams", kOption);
}

std::unique_ptr<Capture> open_camera_capture(int) { base::left_out("cameras", kOption); }

struct VideoWriter::Impl {};

VideoWriter::VideoWriter(const std::filesystem::path& path, double, int, int, FreeSpace) {
  base::left_out(path.native() + ": writing videos", kOption);
}

VideoWriter::~VideoWriter() = default;
void VideoWriter::write(const Image&) {}
void VideoWriter::finish() {}
std::int64_t VideoWriter::frames() const { return 0; }

}  // namespace spiga::media
