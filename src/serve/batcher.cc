// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/batcher.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace spiga::serve {

Batcher::Batcher(Landmarker landmarker) : landmarker_(std::move(landmarker)), thread_([this] { run(); }) {}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::vector<Face> Batcher::locate(const ImageView& image, std::span<const Detection> detections) {
  if (detections.empty()) return {};
  Job job;
  for (const Detection& detection : detections)
    job.requests.push_back({.image = image, .box = detection.box, .score = detection.score});
  std::future<std::vector<Face>> answer = job.answer.get_future();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return answer.get();
}

std::uint64_t Batcher::batches() const {
  const std::lock_guard lock(mutex_);
  return batches_;
}

std::uint64_t Batcher::faces() const {
  const std::lock_guard lock(mutex_);
  return faces_;
}

// Waits for work; whole requests up to a batch of faces, at least one. Empty: closing.
std::vector<Batcher::Job> Batcher::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
  std::vector<Job> taken;
  std::size_t faces = 0;
  const auto most = static_cast<std::size_t>(landmarker_.options().max_batch);
  while (!jobs_.empty() && (taken.empty() || faces + jobs_.front().requests.size() <= most)) {
    faces += jobs_.front().requests.size();
    taken.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
  }
  if (!taken.empty()) ++batches_;
  faces_ += faces;
  return taken;
}

void Batcher::answer(std::vector<Job>& jobs) {
  std::vector<FaceRequest> requests;
  for (const Job& job : jobs) requests.insert(requests.end(), job.requests.begin(), job.requests.end());
  std::vector<Face> faces = landmarker_.locate(requests);
  auto next = std::make_move_iterator(faces.begin());
  for (Job& job : jobs) {
    const auto end = next + static_cast<std::ptrdiff_t>(job.requests.size());
    job.answer.set_value(std::vector<Face>(next, end));
    next = end;
  }
}

void Batcher::run() {
  for (std::vector<Job> jobs = take(); !jobs.empty(); jobs = take()) {
    try {
      answer(jobs);
    } catch (...) {  // one request's fault must not become the others': each once more alone
      for (Job& job : jobs) {
        try {
          job.answer.set_value(landmarker_.locate(job.requests));
        } catch (...) {
          job.answer.set_exception(std::current_exception());
        }
      }
    }
  }
}

}  // namespace spiga::serve
