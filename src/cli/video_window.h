// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "spiga/image.h"

namespace spiga::cli {

// A window that shows pictures. For the main thread only.
class VideoWindow {
 public:
  // Throws Error(unsupported) where there is no display to show it on.
  explicit VideoWindow(const std::string& title);
  VideoWindow(const VideoWindow&) = delete;
  VideoWindow& operator=(const VideoWindow&) = delete;
  ~VideoWindow();

  // Shows a bgr8 picture. False when the user has pressed q or Escape or closed the window.
  bool show(const Image& picture);

 private:
  std::string title_;
  bool shown_ = false;
};

}  // namespace spiga::cli
