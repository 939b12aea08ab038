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
  out += "{\"frame\":" + std::to_string(frame.frame) + ",\"time_s\":";
  base::append_fixed(out, frame.time_s, kTimeDecimals);
  out += ",\"width\":" + std::to_string(frame.width) + ",\"height\":" + std::to_string(frame.height) +
         ",\"faces\":[";
  bool first = true;
  for (const TrackedFace& tracked : frame.faces) {
    if (!tracked.found) continue;
    out += first ? "{\"id\":" : ",{\"id\":";
    first = false;
    out += std::to_string(tracked.id) + ",\"confidence\":";
    base::append_fixed(out, tracked.confidence, kConfidenceDecimals);
    out += ',';
    append_json_face_fields(out, tracked.face);
    out += '}';
  }
  out += "]}\n";
}

void append_video_csv_header(std::string& out, int landmarks) {
  out += "frame,face_id,timestamp,confidence,success,";
  append_csv_face_names(out, landmarks);
  out += '\n';
}

void append_video_csv_rows(std::string& out, const FrameFaces& frame, int landmarks) {
  for (const TrackedFace& tracked : frame.faces) {
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
    out += '\n';
  }
}

}  // namespace spiga::media
