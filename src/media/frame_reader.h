// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "media/video_source.h"

namespace spiga::media {

// Reads a source ahead in a thread of its own. Belongs to one thread, which need not be the one that made it.
class FrameReader {
 public:
  virtual ~FrameReader() = default;
  // Waits for the next frame; nothing at the end. Rethrows what the source threw.
  virtual std::shared_ptr<const Frame> next() = 0;
};

// Files: every frame, a few of them ahead. Live sources: the newest frame; those that nobody asked for in
// time are dropped. `stop` is asked before each frame; true is the end.
std::unique_ptr<FrameReader> make_frame_reader(VideoSource& source, std::function<bool()> stop);

}  // namespace spiga::media
