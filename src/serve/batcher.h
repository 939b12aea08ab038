// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "spiga/landmarker.h"

namespace spiga::serve {

using Clock = std::chrono::steady_clock;

// Runs the faces of many requests through one landmarker: whatever has gathered while a batch ran becomes the
// next one, so nobody waits for company. Safe from many threads.
class Batcher {
 public:
  explicit Batcher(Landmarker landmarker);
  ~Batcher();  // finishes what was submitted
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // The faces of the detections. Throws what the landmarker throws.
  std::vector<Face> locate(const ImageView& image, std::span<const Detection> detections);

  std::uint64_t batches() const;
  std::uint64_t faces() const;

 private:
  struct Job {
    std::vector<FaceRequest> requests;
    std::promise<std::vector<Face>> answer;
  };
  void run();
  std::vector<Job> take();
  void answer(std::vector<Job>& jobs);

  Landmarker landmarker_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closing_ = false;
  std::uint64_t batches_ = 0;
  std::uint64_t faces_ = 0;
  std::thread thread_;
};

}  // namespace spiga::serve
