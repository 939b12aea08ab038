// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "media/face_fitter.h"
#include "media/face_text.h"
#include "media/picture_reader.h"
#include "serve/batcher.h"
#include "spiga/analyzer.h"

namespace spiga::serve {

using Clock = std::chrono::steady_clock;

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

// A picture to look at.
struct Task {
  std::vector<std::uint8_t> body = {};         // what `picture` lies in
  std::span<const std::uint8_t> picture = {};  // a file's bytes
  std::string name = {};                       // what the answer calls it
  bool overlay = false;
  bool in_3d = false;               // fit the head; needs Service::fits_heads()
  bool mesh = false;                // and tell its mesh, or draw it in the overlay
  Clock::time_point deadline = {};  // of its turn
};

// Pictures to faces for many callers at once: a bounded queue, a few lasting threads with a detector each,
// one batching landmarker behind them. Sets the process's heap to give memory back early.
class Service {
 public:
  // The analyzer's `threads` (0: all) are those of the network, whichever way they are used; each worker's
  // detector has one. Throws Error as Analyzer::load, bad_data where the head's file is damaged, and
  // invalid_argument where workers or queue are below 1.
  explicit Service(const ServiceOptions& options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Calls `done` once, from any thread: the answer, or what was thrown: TooLate, or Error as decode_picture
  // and the analyzer do. Throws Busy itself.
  using Done = std::function<void(std::exception_ptr, Answer)>;
  void submit(Task task, Done done);
  // Ends the waiting of those whose time is over.
  void expire(Clock::time_point now);

  std::string metrics() const;
  // What `spiga info --json` says of the model itself, the program's version, and fits_heads() as "face3d".
  const std::string& model() const { return model_; }
  // Whether faces can be had in three dimensions: the model has 68 landmarks and the head's file is there.
  bool fits_heads() const { return fitter_.has_value(); }
  // Why not.
  const std::string& no_heads() const { return no_heads_; }
  // The mesh's triangles, as append_json_triangles writes them; empty where heads are not fitted.
  const std::string& triangles() const { return triangles_; }
  const ServiceOptions& options() const { return options_; }

 private:
  struct Job {
    Task task;
    Done done;
  };
  void start_batcher(const Analyzer& analyzer, int threads);
  void load_head();
  void work(Analyzer& analyzer);
  Answer look(const Task& task, Analyzer& analyzer);
  void draw(Image& picture, const Task& task, Answer& answer) const;
  void finish(const Job& job, std::exception_ptr fault, Answer answer);

  ServiceOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  int admitted_ = 0;
  bool closing_ = false;
  std::string database_;
  std::string model_;
  std::optional<media::FaceFitter> fitter_;  // of all workers
  std::string no_heads_;
  std::string triangles_;
  std::unique_ptr<Batcher> batcher_;
  std::vector<std::thread> workers_;
};

}  // namespace spiga::serve
