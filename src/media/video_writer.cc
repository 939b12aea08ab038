// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/video_writer.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "media/video_capture.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;

// Room that must be left for what encoder and container still hold back, at least, and per frame written.
constexpr std::uintmax_t kReserveBytes = 8 << 20;
constexpr std::uintmax_t kReserveBytesPerFrame = 64;

cv::Mat mat_of(const Image& image) {
  return cv::Mat(image.height(), image.width(), CV_8UC3, const_cast<std::uint8_t*>(image.data()));
}

}  // namespace

struct VideoWriter::Impl {
  void open();
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::io, base::concat(path.native(), ": ", why));
  }

  fs::path path, temporary;
  double fps = 0;
  cv::Size size;
  FreeSpace space;
  cv::VideoWriter writer;
  cv::Mat canvas;
  std::int64_t frames = 0;
};

void VideoWriter::Impl::open() {
  silence_video_libraries();
  for (const char* codec : {"avc1", "mp4v"}) {
    try {
      if (writer.open(temporary.string(), cv::CAP_FFMPEG,
                      cv::VideoWriter::fourcc(codec[0], codec[1], codec[2], codec[3]), fps, size))
        return;
    } catch (const cv::Exception&) {  // the next one may do
    }
  }
  std::error_code ignored;
  fs::remove(temporary, ignored);
  throw Error(ErrorCode::unsupported, base::concat(path.native(), ": cannot be created as a video of ",
                                                   size.width, " x ", size.height, " pixels"));
}

VideoWriter::VideoWriter(const fs::path& path, double fps, int width, int height, FreeSpace space)
    : impl_(std::make_unique<Impl>()) {
  check_video_path(path);
  if (!(fps > 0 && fps <= 1000) || width <= 0 || height <= 0)
    throw Error(ErrorCode::invalid_argument, base::concat(path.native(), ": cannot hold ", width, " x ",
                                                          height, " pixels at ", fps, " frames per second"));
  impl_->path = path;
  impl_->temporary = base::temporary_name(path, path.extension().string());  // FFmpeg goes by it
  impl_->fps = fps;
  impl_->size = {width + width % 2, height + height % 2};
  impl_->space = std::move(space);
  impl_->open();
}

VideoWriter::~VideoWriter() {
  if (!impl_->writer.isOpened()) return;
  impl_->writer.release();
  std::error_code ignored;
  fs::remove(impl_->temporary, ignored);
}

void VideoWriter::write(const Image& picture) {
  Impl& impl = *impl_;
  const std::uintmax_t reserve =
      kReserveBytes + kReserveBytesPerFrame * static_cast<std::uintmax_t>(impl.frames);
  if (impl.space(impl.path.parent_path()) < reserve)
    impl.fail(base::concat("the disk is full after ", impl.frames, " frames"));
  const cv::Mat pixels = mat_of(picture);
  if (pixels.size() == impl.size) {
    impl.writer.write(pixels);
  } else {
    impl.canvas.create(impl.size, CV_8UC3);
    impl.canvas.setTo(cv::Scalar::all(0));
    double scale = std::min(1.0 * impl.size.width / pixels.cols, 1.0 * impl.size.height / pixels.rows);
    if (scale < 1.01 && scale > 1)
      scale = 1;  // a pixel of border instead of a blur: odd sides were made even
    const int width = std::clamp(static_cast<int>(std::lround(pixels.cols * scale)), 1, impl.size.width);
    const int height = std::clamp(static_cast<int>(std::lround(pixels.rows * scale)), 1, impl.size.height);
    cv::Mat place =
        impl.canvas({(impl.size.width - width) / 2, (impl.size.height - height) / 2, width, height});
    cv::resize(pixels, place, place.size(), 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    impl.writer.write(impl.canvas);
  }
  ++impl.frames;
}

void VideoWriter::finish() {
  Impl& impl = *impl_;
  impl.writer.release();
  std::error_code error;
  if (impl.frames == 0) {  // a container without frames is no video
    fs::remove(impl.temporary, error);
    return;
  }
  cv::VideoCapture written(impl.temporary.string(), cv::CAP_FFMPEG);
  const std::int64_t frames = written.isOpened() ? std::llround(written.get(cv::CAP_PROP_FRAME_COUNT)) : 0;
  written.release();
  // Containers that know their length in seconds may be off by a frame.
  if (frames <= 0) {
    fs::remove(impl.temporary, error);
    impl.fail("the video could not be completed: is the disk full?");
  }
  fs::rename(impl.temporary, impl.path, error);
  if (error) impl.fail("cannot rename the finished file: " + error.message());
  if (frames + 2 < impl.frames)
    impl.fail(base::concat("only ", frames, " of ", impl.frames, " frames got to the disk"));
}

std::int64_t VideoWriter::frames() const { return impl_->frames; }

}  // namespace spiga::media
