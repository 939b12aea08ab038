// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace spiga::base {

// Turns items into results in several threads and hands the results out in the items' order. At most `window`
// items are under way or waiting to be handed out, so memory does not grow with their number.
//
// next() and stop() are for one thread, the owner's; the source is called by one worker at a time.
template <typename Item, typename Result>
class OrderedWorkers {
 public:
  using Source = std::function<std::optional<Item>()>;  // nothing: the end
  using Work = std::function<Result(Item)>;  // called by one thread only, so it may own a workspace

  // One thread per element of `work`. Their exceptions, and the source's, come out of next() in their place.
  OrderedWorkers(Source source, std::vector<Work> work, std::size_t window)
      : source_(std::move(source)), window_(window > 0 ? window : 1) {
    running_ = work.size();
    threads_.reserve(work.size());
    for (Work& one : work) threads_.emplace_back([this, own = std::move(one)] { run(own); });
  }
  OrderedWorkers(const OrderedWorkers&) = delete;
  OrderedWorkers& operator=(const OrderedWorkers&) = delete;

  // Waits for the work under way.
  ~OrderedWorkers() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  // The next result, or nothing at the end. Rethrows what the item's work threw; the ones after it still
  // come.
  std::optional<Result> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return results_.contains(handed_out_) || running_ == 0; });
    const auto found = results_.find(handed_out_);
    if (found == results_.end()) return std::nullopt;
    Outcome outcome = std::move(found->second);
    results_.erase(found);
    ++handed_out_;
    lock.unlock();
    changed_.notify_all();
    if (outcome.error) std::rethrow_exception(outcome.error);
    return std::move(outcome.result);
  }

  // No item is taken any more; next() still hands out what is under way.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
  }

 private:
  struct Outcome {
    std::optional<Result> result;
    std::exception_ptr error;
  };

  void run(const Work& work) {
    while (take_one(work)) {
    }
    {
      const std::lock_guard lock(mutex_);
      --running_;
    }
    changed_.notify_all();
  }

  // False at the end.
  bool take_one(const Work& work) {
    std::size_t place = 0;
    Outcome outcome;
    std::optional<Item> item;
    {
      const std::lock_guard source_lock(source_mutex_);
      if (!wait_for_room()) return false;
      try {
        item = source_();
      } catch (...) {
        outcome.error = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      if (!item) ended_ = true;
      if (!item && !outcome.error) return false;
      place = taken_++;
    }
    if (item) {
      try {
        outcome.result = work(std::move(*item));
      } catch (...) {
        outcome.error = std::current_exception();
      }
    }
    {
      const std::lock_guard lock(mutex_);
      results_.emplace(place, std::move(outcome));
    }
    changed_.notify_all();
    return true;
  }

  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || taken_ - handed_out_ < window_; });
    return !ended_;
  }

  Source source_;
  const std::size_t window_;
  std::mutex source_mutex_;  // taken before mutex_
  std::mutex mutex_;         // guards what follows
  std::condition_variable changed_;
  std::map<std::size_t, Outcome> results_;
  std::size_t taken_ = 0;
  std::size_t handed_out_ = 0;
  std::size_t running_ = 0;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace spiga::base
