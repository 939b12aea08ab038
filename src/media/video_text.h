// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/face3d_text.h"
#include "spiga/tracker.h"

// A video's faces as text (docs/video.md describes both forms). The functions append.
namespace spiga::media {

// What was found in one frame.
struct FrameFaces {
  std::int64_t frame = 0;
  double time_s = 0;
  int width = 0;
  int height = 0;
  std::vector<TrackedFace> faces;
  std::optional<Faces3d> in_3d = {};
};

// {"frame": ..., "timestamp": ..., "time_s": as "timestamp", which is its new name, "width": ..., "height":
// ..., "faces": [{"id": ..., "confidence": ..., ...}]} and a line end. Faces that are lost are left out.
void append_json_line(std::string& out, const FrameFaces& frame);

// frame,face_id,timestamp,confidence,success,box_x,...,pose_...,x_0..,y_0..,uncertainty_0..,spread_0.., with
// `in_3d` the columns of face3d_text.h, and a line end.
void append_video_csv_header(std::string& out, int landmarks, bool in_3d = false);
// One row per face. A face that is lost has success 0 and nothing behind it. With `every_frame` a frame
// without a face has a row, too: success 0, no face_id, no confidence.
void append_video_csv_rows(std::string& out, const FrameFaces& frame, int landmarks,
                           bool every_frame = false);

}  // namespace spiga::media
