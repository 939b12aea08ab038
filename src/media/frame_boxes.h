// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "spiga/detector.h"

namespace spiga::media {

// Boxes of faces in the frames of a video, from a table, in place of a detector. Immutable; safe from any
// thread.
class FrameBoxes {
 public:
  // CSV with a header. Columns `frame` and either `x, y, width, height` or, as spiga writes them,
  // `box_x, box_y, box_w, box_h`; others are passed over. Rows whose box is empty are left out (lost faces).
  // A row that cannot be used is told to `on_problem` and left out. Throws Error: not_found; bad_data where
  // the header is not there.
  FrameBoxes(const std::filesystem::path& file, const std::function<void(const std::string&)>& on_problem);

  const std::filesystem::path& file() const { return file_; }

  std::vector<Detection> at(std::int64_t frame) const;

 private:
  std::filesystem::path file_;
  std::map<std::int64_t, std::vector<Detection>> boxes_;
};

}  // namespace spiga::media
