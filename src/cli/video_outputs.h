// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/analyze_video.h"
#include "media/video_analyzer.h"
#include "media/video_source.h"
#include "spiga/landmarker.h"

namespace spiga::cli {

// Everything that a video's faces are written to: JSON lines, table, overlay, summary, window; each may be
// absent.
class VideoOutputs {
 public:
  // An empty options.output: no JSON lines. Throws Error where an output cannot be opened.
  VideoOutputs(const AnalyzeOptions& options, const VideoOptions& video, const media::VideoInfo& info,
               const Landmarker& landmarker);
  VideoOutputs(const VideoOutputs&) = delete;
  VideoOutputs& operator=(const VideoOutputs&) = delete;
  ~VideoOutputs();

  // False: the user closed the window. Throws Error(io).
  bool write(const media::AnalyzedFrame& frame);

  // Everything written so far appears, even after write() has thrown. Throws the first error, after all
  // outputs had their turn.
  void finish();

  // What went wrong without ending the video.
  std::vector<std::string> problems() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::cli
