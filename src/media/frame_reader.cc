// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/frame_reader.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/ordered_workers.h"

namespace spiga::media {
namespace {

constexpr std::size_t kReadAhead = 3;

class FileReader : public FrameReader {
 public:
  FileReader(VideoSource& source, std::function<bool()> stop)
      : frames_([&source, stop = std::move(stop)] { return stop() ? std::nullopt : source.next(); },
                {[](Frame frame) { return std::make_shared<const Frame>(std::move(frame)); }}, kReadAhead) {}

  std::shared_ptr<const Frame> next() override { return frames_.next().value_or(nullptr); }

 private:
  base::OrderedWorkers<Frame, std::shared_ptr<const Frame>> frames_;
};

class LiveReader : public FrameReader {
 public:
  LiveReader(VideoSource& source, std::function<bool()> stop)
      : source_(source), stop_(std::move(stop)), thread_([this] { read(); }) {}
  ~LiveReader() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    thread_.join();
  }

  std::shared_ptr<const Frame> next() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return newest_ || ended_; });
    if (!newest_ && error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return std::exchange(newest_, nullptr);
  }

 private:
  void read() {
    try {
      while (!stop_()) {
        std::optional<Frame> frame = source_.next();
        const std::lock_guard lock(mutex_);
        if (!frame || ended_) break;
        newest_ = std::make_shared<const Frame>(std::move(*frame));
        changed_.notify_one();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  }

  VideoSource& source_;
  std::function<bool()> stop_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::shared_ptr<const Frame> newest_;
  std::exception_ptr error_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<FrameReader> make_frame_reader(VideoSource& source, std::function<bool()> stop) {
  if (source.info().live) return std::make_unique<LiveReader>(source, std::move(stop));
  return std::make_unique<FileReader>(source, std::move(stop));
}

}  // namespace spiga::media
