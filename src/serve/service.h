// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "media/face_text.h"
#include "media/picture_reader.h"
#include "serve/batcher.h"
#include "spiga/analyzer.h"

namespace spiga::serve {

struct ServiceOptions {
  AnalyzerOptions analyzer = {};
  int workers = 2;  // pictures worked on at a time, by a thread each
  int queue = 64;   // requests under way or waiting; more are refused
  media::PictureLimits limits = {.max_pixels = 40 * 1000 * 1000, .max_file_bytes = 20 * 1024 * 1024};
};

// The queue is full: come again later.
struct Busy : std::runtime_error {
  Busy() : std::runtime_error("too many requests are waiting") {}
};
// The request's time was over before its turn came.
struct TooLate : std::runtime_error {
  TooLate() : std::runtime_error("no time left for this request") {}
};

struct Answer {
  media::PictureFaces faces;
  std::vector<std::uint8_t> overlay;  // JPEG, where it was asked for
};

// Pictures to faces for many callers at once: a bounded queue, a few lasting threads with a detector each,
// one batching landmarker behind them.
class Service {
 public:
  // The analyzer's `threads` (0: all) are those of the network, whichever way they are used; each worker's
  // detector has one. Throws Error as Analyzer::load, and invalid_argument where workers or queue are
  // below 1.
  explicit Service(const ServiceOptions& options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Throws Busy, TooLate, or Error as decode_picture and the analyzer do.
  Answer analyze(std::span<const std::uint8_t> bytes, const std::string& name, bool overlay,
                 Clock::time_point deadline);

  std::string metrics() const;
  // What `spiga info --json` says of the model itself, and the program's version.
  const std::string& model() const { return model_; }
  const ServiceOptions& options() const { return options_; }

 private:
  struct Job {
    std::span<const std::uint8_t> bytes;
    const std::string& name;
    bool overlay;
    std::promise<Answer> answer;
  };
  void start_batcher(const Analyzer& analyzer, int threads);
  void work(Analyzer& analyzer);
  Answer look(const Job& job, Analyzer& analyzer);

  ServiceOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> waiting_;
  int admitted_ = 0;
  bool closing_ = false;
  std::string database_;
  std::string model_;
  std::unique_ptr<Batcher> batcher_;
  std::vector<std::thread> workers_;
};

}  // namespace spiga::serve
