// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// The captures of video_capture.h by OpenCV's videoio; nothing else of ours reads videos by it.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/videoio.hpp>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "media/video_capture.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

constexpr double kHighestFps = 1000;

class OpenCvCapture : public Capture {
 public:
  explicit OpenCvCapture(cv::VideoCapture capture) : capture_(std::move(capture)) {}

  std::optional<Image> read() override { return grab() ? retrieve() : std::nullopt; }
  bool grab() override {
    try {
      return capture_.grab();
    } catch (const cv::Exception&) {
      return false;
    }
  }
  std::optional<Image> retrieve() override {
    try {
      if (!capture_.retrieve(pixels_) || pixels_.empty() || pixels_.type() != CV_8UC3) return std::nullopt;
    } catch (const cv::Exception&) {
      return std::nullopt;
    }
    Image image(pixels_.cols, pixels_.rows, PixelFormat::bgr8);
    pixels_.copyTo(cv::Mat(image.height(), image.width(), CV_8UC3, image.data()));
    return image;
  }
  double position_s() const override { return capture_.get(cv::CAP_PROP_POS_MSEC) / 1000; }
  double fps() const override {
    const double fps = capture_.get(cv::CAP_PROP_FPS);
    return std::isfinite(fps) && fps > 0 && fps <= kHighestFps ? fps : 0;
  }
  std::int64_t frames() const override {
    const double frames = capture_.get(cv::CAP_PROP_FRAME_COUNT);
    return frames > 0 && frames < 1e12 ? std::llround(frames) : 0;
  }

 private:
  cv::VideoCapture capture_;
  cv::Mat pixels_;
};

}  // namespace

void silence_video_libraries() {
  static std::once_flag once;
  std::call_once(once, [] {
    ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  });
}

std::unique_ptr<Capture> open_file_capture(const std::string& path) {
  silence_video_libraries();
  if (!base::exists(path)) throw Error(ErrorCode::not_found, path + ": no such file");
  cv::VideoCapture capture;
  bool opened = false;
  try {
    opened = capture.open(path, cv::CAP_FFMPEG);
  } catch (const cv::Exception&) {  // the same as not opened
  }
  if (!opened)
    throw Error(ErrorCode::bad_data, path + ": expected a video, found nothing that FFmpeg can decode");
  return std::make_unique<OpenCvCapture>(std::move(capture));
}

std::unique_ptr<Capture> open_stream_capture(const std::string& url, std::chrono::milliseconds patience) {
  silence_video_libraries();
  const int wait_ms = static_cast<int>(std::clamp<std::int64_t>(patience.count(), 1, 3'600'000));
  cv::VideoCapture capture;
  bool opened = false;
  try {
    opened =
        capture.open(url, cv::CAP_FFMPEG,
                     {cv::CAP_PROP_OPEN_TIMEOUT_MSEC, 2 * wait_ms, cv::CAP_PROP_READ_TIMEOUT_MSEC, wait_ms});
  } catch (const cv::Exception&) {  // the same as not opened
  }
  if (!opened) throw Error(ErrorCode::not_found, url + ": the stream cannot be opened");
  return std::make_unique<OpenCvCapture>(std::move(capture));
}

std::unique_ptr<Capture> open_camera_capture(int number) {
  silence_video_libraries();
  cv::VideoCapture capture;
  bool opened = false;
  try {
    // Named, since OpenCV would try libraries for FireWire cameras too, which keep memory for good.
    opened = capture.open(number, cv::CAP_V4L2);
  } catch (const cv::Exception&) {  // the same as not opened
  }
  if (!opened)
    throw Error(ErrorCode::not_found,
                base::concat("camera:", number, ": there is no such camera, or it is in use"));
  return std::make_unique<OpenCvCapture>(std::move(capture));
}

}  // namespace spiga::media
