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
#include <utility>

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
  // The same in two steps, for who does not want the pixels of every frame: false is the end, or a failure.
  virtual bool grab() {
    grabbed_ = read();
    return grabbed_.has_value();
  }
  virtual std::optional<Image> retrieve() { return std::exchange(grabbed_, std::nullopt); }
  // Of the last frame, as the container says; 0 where it does not.
  virtual double position_s() const = 0;
  virtual double fps() const = 0;           // 0: unknown
  virtual std::int64_t frames() const = 0;  // 0 or less: unknown

 private:
  std::optional<Image> grabbed_;
};

// Throws Error(not_found), Error(bad_data).
std::unique_ptr<Capture> open_file_capture(const std::string& path);
// A stream over the network, by its URL: connecting takes twice `patience` at most, a frame `patience`.
// Throws Error(not_found).
std::unique_ptr<Capture> open_stream_capture(const std::string& url, std::chrono::milliseconds patience);
// Throws Error(not_found).
std::unique_ptr<Capture> open_camera_capture(int number);

// A file's frames. Frames that the container promises and that cannot be read become a problem at the end.
std::unique_ptr<VideoSource> make_file_source(const std::string& name, std::unique_ptr<Capture> capture);

// A camera's frames, as they come. next() throws Error(io) where none comes for `patience`.
std::unique_ptr<VideoSource> make_camera_source(const std::string& name, std::unique_ptr<Capture> capture,
                                                std::function<bool()> stop,
                                                std::chrono::milliseconds patience = std::chrono::seconds(2));

// Whether a URL is one of a stream that has no end and does not wait: what is sent as it happens (rtsp, rtmp,
// rtp, udp, srt, tcp), and others whose container tells no length (MJPEG and live HLS over HTTP).
bool is_live_stream(std::string_view url, const Capture& capture);

struct StreamOptions {
  std::chrono::milliseconds patience{5000};  // a stream that sends no frame for so long is broken
  std::chrono::milliseconds reconnect{0};    // how long a broken one is opened again and again; 0: not at all
  std::chrono::milliseconds between_tries{500};  // to open it
};

// A live stream's frames, as they come. Where it breaks or ends, which FFmpeg does not tell apart, it is
// opened again; each time that succeeds is a problem. next() throws Error(io) where it does not.
std::unique_ptr<VideoSource> make_stream_source(const std::string& name, std::unique_ptr<Capture> capture,
                                                std::function<std::unique_ptr<Capture>()> open_again,
                                                std::function<bool()> stop,
                                                const StreamOptions& options = {});

}  // namespace spiga::media
