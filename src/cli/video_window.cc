// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/video_window.h"

#include <X11/Xlib.h>

#include <cstdlib>
#include <opencv2/core/mat.hpp>
#include <opencv2/highgui.hpp>

#include "spiga/error.h"

namespace spiga::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

// Where Qt, which OpenCV's windows are made of, finds no display, it ends the program: look first.
bool has_display() {
  if (is_set("QT_QPA_PLATFORM") || is_set("WAYLAND_DISPLAY")) return true;
  Display* display = is_set("DISPLAY") ? XOpenDisplay(nullptr) : nullptr;
  if (!display) return false;
  XCloseDisplay(display);
  return true;
}

}  // namespace

VideoWindow::VideoWindow(const std::string& title) : title_(title) {
  if (!has_display()) throw Error(ErrorCode::unsupported, "--show: there is no display to show a window on");
  try {
    cv::namedWindow(title_, cv::WINDOW_NORMAL | cv::WINDOW_KEEPRATIO | cv::WINDOW_GUI_NORMAL);
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::unsupported, "--show: no window can be opened: " + error.err);
  }
}

VideoWindow::~VideoWindow() {
  try {
    cv::destroyWindow(title_);
  } catch (const cv::Exception&) {  // the user was faster
  }
}

bool VideoWindow::show(const Image& picture) {
  constexpr int kEscape = 27;
  const cv::Mat pixels(picture.height(), picture.width(), CV_8UC3, const_cast<std::uint8_t*>(picture.data()));
  if (!shown_) cv::resizeWindow(title_, picture.width(), picture.height());
  cv::imshow(title_, pixels);
  const int key = cv::waitKey(1) & 0xff;
  const bool closed = shown_ && cv::getWindowProperty(title_, cv::WND_PROP_VISIBLE) < 1;
  shown_ = true;
  return key != 'q' && key != 'Q' && key != kEscape && !closed;
}

}  // namespace spiga::cli
