// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/batcher.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace spiga::serve {

Batcher::Batcher(const Landmarker& narrow, std::optional<Landmarker> wide, int threads)
    : most_(static_cast<std::size_t>(narrow.options().max_batch)), has_wide_(wide.has_value()) {
  // OpenMP keeps threads of its own for every thread that calls it, so one alone has the wide landmarker.
  for (int i = 0; i < threads; ++i)
    threads_.emplace_back([this, copy = narrow, mine = i == 0 ? std::move(wide) : std::nullopt]() mutable {
      run(std::move(copy), std::move(mine));
    });
}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::vector<Face> Batcher::locate(const ImageView& image, std::span<const Detection> detections, bool alone) {
  if (detections.empty()) return {};
  Job job;
  job.alone = alone && has_wide_;
  for (const Detection& detection : detections)
    job.requests.push_back({.image = image, .box = detection.box, .score = detection.score});
  std::future<std::vector<Face>> answer = job.answer.get_future();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();  // a lone one is for one thread only
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
std::vector<Batcher::Job> Batcher::take(bool has_wide) {
  std::unique_lock lock(mutex_);
  const auto mine = [&] { return !jobs_.empty() && (has_wide || !jobs_.front().alone); };
  changed_.wait(lock, [&] { return mine() || (closing_ && jobs_.empty()); });
  std::vector<Job> taken;
  std::size_t faces = 0;
  while (!jobs_.empty() && (taken.empty() || faces + jobs_.front().requests.size() <= most_)) {
    faces += jobs_.front().requests.size();
    taken.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
  }
  if (!taken.empty()) ++batches_;
  faces_ += faces;
  if (closing_ && jobs_.empty()) changed_.notify_all();
  return taken;
}

void Batcher::answer(std::vector<Job>& jobs, Landmarker& landmarker) {
  std::vector<FaceRequest> requests;
  for (const Job& job : jobs) requests.insert(requests.end(), job.requests.begin(), job.requests.end());
  std::vector<Face> faces = landmarker.locate(requests);
  auto next = std::make_move_iterator(faces.begin());
  for (Job& job : jobs) {
    const auto end = next + static_cast<std::ptrdiff_t>(job.requests.size());
    job.answer.set_value(std::vector<Face>(next, end));
    next = end;
  }
}

void Batcher::run(Landmarker landmarker, std::optional<Landmarker> wide) {
  for (std::vector<Job> jobs = take(wide.has_value()); !jobs.empty(); jobs = take(wide.has_value())) {
    Landmarker& chosen = jobs.front().alone && wide ? *wide : landmarker;
    try {
      answer(jobs, chosen);
    } catch (...) {  // one request's fault must not become the others': each once more alone
      for (Job& job : jobs) {
        try {
          job.answer.set_value(chosen.locate(job.requests));
        } catch (...) {
          job.answer.set_exception(std::current_exception());
        }
      }
    }
  }
}

}  // namespace spiga::serve
