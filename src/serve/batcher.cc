// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/batcher.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

namespace spiga::serve {

namespace {

// std::function copies what it holds; a landmarker's copies share the model and have a workspace of their
// own.
Batcher::Locate locate_with(Landmarker landmarker) {
  return [mine = std::make_shared<Landmarker>(std::move(landmarker))](std::span<const FaceRequest> requests) {
    return mine->locate(requests);
  };
}

std::vector<Batcher::Locate> copies_of(const Landmarker& landmarker, int count) {
  std::vector<Batcher::Locate> copies;
  for (int i = 0; i < count; ++i) copies.push_back(locate_with(landmarker));
  return copies;
}

}  // namespace

Batcher::Batcher(const Landmarker& narrow, std::optional<Landmarker> wide, int threads)
    : Batcher(copies_of(narrow, threads), wide ? locate_with(std::move(*wide)) : Locate(),
              static_cast<std::size_t>(narrow.options().max_batch)) {}

Batcher::Batcher(std::vector<Locate> narrow, Locate wide, std::size_t most)
    : most_(most), has_wide_(wide != nullptr) {
  // OpenMP keeps threads of its own for every thread that calls it, so one alone has the wide landmarker.
  for (std::size_t i = 0; i < narrow.size(); ++i)
    threads_.emplace_back(
        [this, mine = std::move(narrow[i]), all = i == 0 ? std::move(wide) : Locate()] { run(mine, all); });
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
    job.requests.push_back({image, detection.box, detection.score, detection.confidence});
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
  if (has_wide) wide_busy_ = false;
  // A lone request waits for all processors only where they are free: behind it, others would wait, too.
  const auto mine = [&] { return !jobs_.empty() && (has_wide || wide_busy_ || !jobs_.front().alone); };
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
  if (has_wide) wide_busy_ = true;
  if (!jobs_.empty() || closing_) changed_.notify_all();
  return taken;
}

// All that can fail comes before the first promise is kept.
void Batcher::answer(std::vector<Job>& jobs, const Locate& locate) {
  std::vector<FaceRequest> requests;
  for (const Job& job : jobs) requests.insert(requests.end(), job.requests.begin(), job.requests.end());
  std::vector<Face> faces = locate(requests);
  if (faces.size() != requests.size()) throw std::logic_error("as many faces as boxes were expected");
  auto next = std::make_move_iterator(faces.begin());
  std::vector<std::vector<Face>> answers;
  for (const Job& job : jobs) {
    const auto end = next + static_cast<std::ptrdiff_t>(job.requests.size());
    answers.emplace_back(next, end);
    next = end;
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].answer.set_value(std::move(answers[i]));
}

void Batcher::run(const Locate& narrow, const Locate& wide) {
  const bool has_wide = wide != nullptr;
  for (std::vector<Job> jobs = take(has_wide); !jobs.empty(); jobs = take(has_wide)) {
    const Locate& chosen = jobs.front().alone && has_wide ? wide : narrow;
    try {
      answer(jobs, chosen);
    } catch (...) {  // one request's fault must not become the others': each once more alone
      for (Job& job : jobs) {
        std::vector<Face> faces;
        std::exception_ptr fault;
        try {
          faces = chosen(job.requests);
        } catch (...) {
          fault = std::current_exception();
        }
        if (fault)
          job.answer.set_exception(fault);
        else
          job.answer.set_value(std::move(faces));
      }
    }
  }
}

}  // namespace spiga::serve
