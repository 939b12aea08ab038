// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/video_text.h"

#include "base/numbers.h"
#include "media/face_text.h"

namespace spiga::media {
namespace {

constexpr int kTimeDecimals = 4;
constexpr int kConfidenceDecimals = 4;

}  // namespace

void append_json_line(std::string& out, const FrameFaces& frame) {
  out += "{\"frame\":" + std::to_string(frame.frame) + ",\"timestamp\":";
  base::append_fixed(out, frame.time_s, kTimeDecimals);
  out += ",\"time_s\":";  // its name up to version 0.1.0
  base::append_fixed(out, frame.time_s, kTimeDecimals);
  out += ",\"width\":" + std::to_string(frame.width) + ",\"height\":" + std::to_string(frame.height) + ',';
  if (frame.in_3d) append_json_camera(out, frame.in_3d->camera), out += ',';
  out += "\"faces\":[";
  bool first = true;
  for (std::size_t i = 0; i < frame.faces.size(); ++i) {
    const TrackedFace& tracked = frame.faces[i];
    if (!tracked.found) continue;
    out += first ? "{\"id\":" : ",{\"id\":";
    first = false;
    out += std::to_string(tracked.id) + ",\"confidence\":";
    base::append_fixed(out, tracked.confidence, kConfidenceDecimals);
    out += ',';
    append_json_face_fields(out, tracked.face);
    if (frame.in_3d) out += ',', append_json_face3d(out, frame.in_3d->faces[i], &frame.in_3d->events[i]);
    out += '}';
  }
  out += "]}\n";
}

void append_video_csv_header(std::string& out, int landmarks, bool in_3d) {
  out += "frame,face_id,timestamp,confidence,success,";
  append_csv_face_names(out, landmarks);
  if (in_3d) append_csv_face3d_names(out);
  out += '\n';
}

void append_video_csv_rows(std::string& out, const FrameFaces& frame, int landmarks, bool every_frame) {
  if (every_frame && frame.faces.empty()) {
    out += std::to_string(frame.frame) + ",,";
    base::append_fixed(out, frame.time_s, kTimeDecimals);
    out += ",,0";
    out.append(static_cast<std::size_t>(csv_face_columns(landmarks)), ',');
    if (frame.in_3d) append_csv_face3d_fields(out, std::nullopt);
    out += '\n';
  }
  for (std::size_t i = 0; i < frame.faces.size(); ++i) {
    const TrackedFace& tracked = frame.faces[i];
    out += std::to_string(frame.frame) + ',' + std::to_string(tracked.id) + ',';
    base::append_fixed(out, frame.time_s, kTimeDecimals);
    out += ',';
    base::append_fixed(out, tracked.confidence, kConfidenceDecimals);
    out += tracked.found ? ",1," : ",0";
    if (tracked.found) {
      append_csv_face_fields(out, tracked.face);
    } else {
      out.append(static_cast<std::size_t>(csv_face_columns(landmarks)), ',');
    }
    if (frame.in_3d) append_csv_face3d_fields(out, frame.in_3d->faces[i]);
    out += '\n';
  }
}

}  // namespace spiga::media
