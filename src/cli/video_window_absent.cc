// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// In place of video_window.cc where X11 and OpenCV's highgui are left out.
#include "base/left_out.h"
#include "cli/video_window.h"

namespace spiga::cli {

VideoWindow::VideoWindow(const std::string&) { base::left_out("--show", "SPIGA_WITH_SHOW"); }

VideoWindow::~VideoWindow() = default;

bool VideoWindow::show(const Image&) { return false; }

}  // namespace spiga::cli
