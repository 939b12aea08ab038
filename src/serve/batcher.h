// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "spiga/landmarker.h"

namespace spiga::serve {

// Runs the faces of many requests through a few lasting threads, one landmarker each: whatever has gathered
// while all were busy becomes the next batch, so nobody waits for company. A request that is alone has all
// processors for itself. Safe from many threads.
class Batcher {
 public:
  using Locate = std::function<std::vector<Face>(std::span<const FaceRequest>)>;

  // Many one-threaded calls side by side do more than one call with many threads: `threads` copies of
  // `narrow` share the work, and `wide` takes the lone requests where there is one.
  Batcher(const Landmarker& narrow, std::optional<Landmarker> wide, int threads);
  // A thread for each of `narrow`; `wide`, where there is one, is called by the first. A batch has at most
  // `most` faces, or one request.
  Batcher(std::vector<Locate> narrow, Locate wide, std::size_t most);
  ~Batcher();  // finishes what was submitted
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // The faces of the detections; `alone` where no other request is under way. Throws what the landmarker
  // throws.
  std::vector<Face> locate(const ImageView& image, std::span<const Detection> detections, bool alone);

  std::uint64_t batches() const;
  std::uint64_t faces() const;

 private:
  struct Job {
    std::vector<FaceRequest> requests;
    std::promise<std::vector<Face>> answer;
    bool alone = false;
  };
  void run(const Locate& narrow, const Locate& wide);
  std::vector<Job> take(bool has_wide);
  static void answer(std::vector<Job>& jobs, const Locate& locate);

  const std::size_t most_;  // faces of a batch
  const bool has_wide_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closing_ = false;
  bool wide_busy_ = false;  // the first thread has work
  std::uint64_t batches_ = 0;
  std::uint64_t faces_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace spiga::serve
