// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "cli/analyze_pictures.h"
#include "media/video_source.h"
#include "spiga/tracker.h"

namespace CLI {
class App;
}

namespace spiga::cli {

// What analyzing a video asks for beyond what pictures do.
struct VideoOptions {
  double fps = 0;          // of sequences and raw frames; 0: the usual
  double reconnect_s = 0;  // how long a live stream that broke is opened again and again
  bool sequence = false;   // a folder's pictures are frames of one video
  TrackerOptions tracker;
  media::FrameSelection frames;
  bool show = false;
  std::string summary;  // HTML file; empty: none
};

void add_video_options(CLI::App& command, VideoOptions& options);

// Whether the inputs are one video. Throws Error(invalid_argument) for a video among other inputs, and for
// options that only videos have where there is none.
bool is_video(const AnalyzeOptions& options, const VideoOptions& video);

// Follows the faces of options.inputs[0]; `overlay` names a video, `boxes` a table. Returns the exit status;
// throws Error where the video or the outputs give out, after everything that was done has been written.
int analyze_video(const AnalyzeOptions& options, const VideoOptions& video);

}  // namespace spiga::cli
