// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "media/frame_boxes.h"
#include "media/video_source.h"
#include "media/video_text.h"
#include "spiga/analyzer.h"
#include "spiga/tracker.h"

namespace spiga::media {

struct VideoAnalyzerOptions {
  TrackerOptions tracker;
  std::shared_ptr<const FrameBoxes> boxes = {};  // instead of the detector
};

struct AnalyzedFrame {
  FrameFaces faces;
  std::shared_ptr<const Image> picture;
};

// From a video to the faces of its frames, in three threads that overlap: one decodes, one follows faces, one
// runs the detector, ahead of the second one where frames are at hand. Who calls next() is the fourth. At
// most a dozen frames are in memory, however long the video is.
//
// From files the results are the same on every run. From live sources, which do not wait, frames that come
// too fast are left out, and the detector's faces arrive a few frames late.
class VideoAnalyzer {
 public:
  // `stop` is asked before each frame is read; true ends the video there. Without boxes the analyzer needs a
  // detector.
  VideoAnalyzer(std::unique_ptr<VideoSource> source, const Analyzer& analyzer,
                const VideoAnalyzerOptions& options, std::function<bool()> stop);
  VideoAnalyzer(const VideoAnalyzer&) = delete;
  VideoAnalyzer& operator=(const VideoAnalyzer&) = delete;
  ~VideoAnalyzer();  // waits for the frame under way

  // The next frame, or nothing at the end. Rethrows what reading the source threw, after the frames before
  // it.
  std::optional<AnalyzedFrame> next();

  // Of the source, and the given boxes in which no face can be looked for; after the end.
  std::vector<std::string> problems() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::media
