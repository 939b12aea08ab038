// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/video_capture.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/numbers.h"
#include "base/text.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

using Clock = std::chrono::steady_clock;

double fps_of(const Capture& capture) { return capture.fps() > 0 ? capture.fps() : kUsualFps; }

class FileSource : public VideoSource {
 public:
  FileSource(const std::string& name, std::unique_ptr<Capture> capture) : capture_(std::move(capture)) {
    info_ = {name, fps_of(*capture_), std::nullopt, false};
    if (capture_->frames() > 0) info_.frames = capture_->frames();
  }

  const VideoInfo& info() const override { return info_; }

  std::optional<Frame> next() override {
    return next_of([](std::int64_t, double) { return FrameVerdict::take; });
  }

  std::optional<Frame> next_of(const FrameChoice& choice) override {
    while (capture_->grab()) {
      note_time();
      const std::int64_t index = frames_++;
      const FrameVerdict verdict = choice(index, time_s_);
      if (verdict == FrameVerdict::end) return std::nullopt;
      if (verdict == FrameVerdict::pass_over) continue;
      std::optional<Image> picture = capture_->retrieve();
      if (picture) return Frame{index, time_s_, std::move(*picture)};
      --frames_;
      break;
    }
    ended_ = true;
    return std::nullopt;
  }

  std::vector<std::string> problems() const override {
    // Containers that only know their length in seconds may be a frame or two off.
    const std::int64_t missing = info_.frames ? *info_.frames - frames_ : 0;
    if (!ended_ || missing <= 2 || missing * 500 < *info_.frames) return {};
    const std::string numbers =
        base::concat(info_.name, ": ", frames_, " of ", *info_.frames, " frames could be read: ");
    const bool at_the_end = time_s_ + 2.5 / info_.fps < static_cast<double>(*info_.frames) / info_.fps;
    return {numbers + (at_the_end ? "cut short after " : "damaged, first near ") +
            base::fixed(at_the_end ? time_s_ : gap_s_, 2) + " s"};
  }

 private:
  void note_time() {
    const double step = 1 / info_.fps;
    const double told = capture_->position_s();
    if (frames_ == 0) {
      first_s_ = told;
      return;
    }
    const double time = told - first_s_;
    const double last = std::exchange(time_s_, time > time_s_ ? time : time_s_ + step);
    if (time_s_ - last > 1.5 * step && gap_s_ < 0) gap_s_ = last + step;
  }

  std::unique_ptr<Capture> capture_;
  VideoInfo info_;
  std::int64_t frames_ = 0;
  double first_s_ = 0;
  double time_s_ = 0;
  double gap_s_ = -1;  // where frames are missing first
  bool ended_ = false;
};

class CameraSource : public VideoSource {
 public:
  CameraSource(const std::string& name, std::unique_ptr<Capture> capture, std::function<bool()> stop,
               std::chrono::milliseconds patience)
      : capture_(std::move(capture)), stop_(std::move(stop)), patience_(patience) {
    info_ = {name, fps_of(*capture_), std::nullopt, true};
  }

  const VideoInfo& info() const override { return info_; }

  std::optional<Frame> next() override {
    const Clock::time_point asked = Clock::now();
    while (!stop_()) {
      if (std::optional<Image> picture = capture_->read()) {
        const Clock::time_point now = Clock::now();
        if (frames_ == 0) start_ = now;
        const double time = std::chrono::duration<double>(now - start_).count();
        time_s_ = frames_ == 0 ? 0 : std::max(time, time_s_ + 1e-3);
        return Frame{frames_++, time_s_, std::move(*picture)};
      }
      if (Clock::now() - asked > patience_)
        throw Error(ErrorCode::io, base::concat(info_.name, ": no frame for ",
                                                std::chrono::duration<double>(patience_).count(),
                                                " s: unplugged? ", frames_, " frames were read"));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return std::nullopt;
  }

  std::vector<std::string> problems() const override { return {}; }

 private:
  std::unique_ptr<Capture> capture_;
  std::function<bool()> stop_;
  std::chrono::milliseconds patience_;
  VideoInfo info_;
  Clock::time_point start_;
  std::int64_t frames_ = 0;
  double time_s_ = 0;
};

class StreamSource : public VideoSource {
 public:
  StreamSource(const std::string& name, std::unique_ptr<Capture> capture,
               std::function<std::unique_ptr<Capture>()> open_again, std::function<bool()> stop,
               const StreamOptions& options)
      : capture_(std::move(capture)),
        open_again_(std::move(open_again)),
        stop_(std::move(stop)),
        options_(options) {
    info_ = {name, fps_of(*capture_), std::nullopt, true};
  }

  const VideoInfo& info() const override { return info_; }

  std::optional<Frame> next() override {
    while (!stop_()) {
      if (std::optional<Image> picture = capture_ ? capture_->read() : std::nullopt) {
        const Clock::time_point now = Clock::now();
        if (frames_ == 0) start_ = now;
        const double time = std::chrono::duration<double>(now - start_).count();
        time_s_ = frames_ == 0 ? 0 : std::max(time, time_s_ + 1e-3);
        return Frame{frames_++, time_s_, std::move(*picture)};
      }
      if (!connect_again()) return std::nullopt;
    }
    return std::nullopt;
  }

  std::vector<std::string> problems() const override {
    std::vector<std::string> all = problems_;
    if (breaks_ > problems_.size())
      all.push_back(base::concat(info_.name, ": broken ", breaks_ - problems_.size(), " more times"));
    return all;
  }

 private:
  static constexpr std::size_t kMostProblems = 20;

  // False: asked to stop. Throws Error(io).
  bool connect_again() {
    capture_.reset();  // the old connection first: some servers allow one
    const Clock::time_point broken = Clock::now();
    while (Clock::now() - broken < options_.reconnect) {
      try {
        capture_ = open_again_();
        note_break(std::chrono::duration<double>(Clock::now() - broken).count());
        return true;
      } catch (const Error&) {  // not there yet
      }
      const Clock::time_point next_try = Clock::now() + options_.between_tries;
      while (Clock::now() < next_try) {
        if (stop_()) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    const double reconnect_s = std::chrono::duration<double>(options_.reconnect).count();
    throw Error(
        ErrorCode::io,
        base::concat(info_.name, ": the stream ended or broke after ", frames_, " frames",
                     reconnect_s > 0 ? base::concat(", and could not be opened again for ", reconnect_s, " s")
                                     : std::string()));
  }

  void note_break(double seconds) {
    if (++breaks_ <= kMostProblems)
      problems_.push_back(base::concat(info_.name, ": broken after ", frames_, " frames, open again after ",
                                       base::fixed(seconds, 1), " s"));
  }

  std::unique_ptr<Capture> capture_;
  std::function<std::unique_ptr<Capture>()> open_again_;
  std::function<bool()> stop_;
  StreamOptions options_;
  VideoInfo info_;
  Clock::time_point start_;
  std::int64_t frames_ = 0;
  double time_s_ = 0;
  std::vector<std::string> problems_;
  std::size_t breaks_ = 0;
};

}  // namespace

bool is_live_stream(std::string_view url, const Capture& capture) {
  for (const std::string_view scheme : {"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "tcp"})
    if (url.starts_with(scheme) && url.substr(scheme.size()).starts_with("://")) return true;
  return capture.frames() <= 0;
}

std::unique_ptr<VideoSource> make_file_source(const std::string& name, std::unique_ptr<Capture> capture) {
  return std::make_unique<FileSource>(name, std::move(capture));
}

std::unique_ptr<VideoSource> make_camera_source(const std::string& name, std::unique_ptr<Capture> capture,
                                                std::function<bool()> stop,
                                                std::chrono::milliseconds patience) {
  return std::make_unique<CameraSource>(name, std::move(capture), std::move(stop), patience);
}

std::unique_ptr<VideoSource> make_stream_source(const std::string& name, std::unique_ptr<Capture> capture,
                                                std::function<std::unique_ptr<Capture>()> open_again,
                                                std::function<bool()> stop, const StreamOptions& options) {
  return std::make_unique<StreamSource>(name, std::move(capture), std::move(open_again), std::move(stop),
                                        options);
}

}  // namespace spiga::media
