// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace spiga::vision {

// On which frames of a video the detector runs: the first one, then every `every` frames; half as many while
// a face is missing.
class DetectionSchedule {
 public:
  explicit DetectionSchedule(int every) : every_(every) {}

  // Whether the detector is to run on this frame; whoever asks then runs it. Frames must grow.
  bool take(std::int64_t frame, bool face_missing) {
    const int interval = face_missing ? std::max(1, every_ / 2) : every_;
    if (last_ && frame - *last_ < interval) return false;
    last_ = frame;
    return true;
  }

 private:
  int every_;
  std::optional<std::int64_t> last_;
};

}  // namespace spiga::vision
