// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "spiga/error.h"

namespace spiga::capi {

// Handles are numbers dressed as pointers, never used twice: a stale one is recognised instead of followed.
// Safe from any thread; an object that somebody frees while another thread uses it lives until that is done.
template <typename Handle, typename Object>
class Handles {
 public:
  explicit Handles(const char* name) : name_(name) {}

  Handle* add(std::shared_ptr<Object> object) {
    const std::lock_guard lock(mutex_);
    const std::uintptr_t key = next_;
    objects_.emplace(key, std::move(object));
    next_ += kStep;
    return reinterpret_cast<Handle*>(key);
  }

  // Throws Error(invalid_argument) where there is no such handle.
  std::shared_ptr<Object> get(const Handle* handle) {
    const std::lock_guard lock(mutex_);
    return find(handle)->second;
  }

  void remove(const Handle* handle) {
    std::shared_ptr<Object> last;  // freed outside the lock
    const std::lock_guard lock(mutex_);
    const auto found = find(handle);
    last = std::move(found->second);
    objects_.erase(found);
  }

 private:
  using Map = std::unordered_map<std::uintptr_t, std::shared_ptr<Object>>;
  static constexpr std::uintptr_t kStep = 16;

  typename Map::iterator find(const Handle* handle) {
    const auto found = objects_.find(reinterpret_cast<std::uintptr_t>(handle));
    if (found == objects_.end()) {
      throw Error(ErrorCode::invalid_argument, std::string(name_) + ": expected a handle, found " +
                                                   (handle ? "one that was freed or never made" : "NULL"));
    }
    return found;
  }

  const char* name_;
  std::mutex mutex_;
  Map objects_;
  std::uintptr_t next_ = kStep;
};

}  // namespace spiga::capi
