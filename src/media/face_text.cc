// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/face_text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "base/csv.h"
#include "base/numbers.h"

namespace spiga::media {
namespace {

constexpr int kPixelDecimals = 2;
constexpr int kAngleDecimals = 2;
constexpr int kFineDecimals = 4;  // scores, translations

void append_json_number(std::string& out, double value, int decimals) {
  if (std::isfinite(value)) {
    base::append_fixed(out, value, decimals);
  } else {
    out += "null";
  }
}

void append_json_numbers(std::string& out, std::span<const float> values, int decimals) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append_json_number(out, values[i], decimals);
  }
  out += ']';
}

void append_json_points(std::string& out, std::span<const Point> points) {
  out += '[';
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0) out += ',';
    const float pair[] = {points[i].x, points[i].y};
    append_json_numbers(out, pair, kPixelDecimals);
  }
  out += ']';
}

void append_names(std::string& out, std::string_view stem, int count) {
  for (int i = 0; i < count; ++i) out.append(",").append(stem).append(std::to_string(i));
}

void append_csv_numbers(std::string& out, std::span<const float> values, int decimals) {
  for (const float value : values) {
    out += ',';
    base::append_fixed(out, value, decimals);
  }
}

void append_mesh(std::string& out, const Faces3d& faces, std::size_t i) {
  out += ',';
  append_json_mesh(out, faces.meshes[i], faces.faces[i] ? faces.faces[i]->pose : CameraPose());
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  using nlohmann::json;
  out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

void append_json_face_fields(std::string& out, const Face& face) {
  const HeadPose& pose = face.headpose;
  const float box[] = {face.box.x, face.box.y, face.box.width, face.box.height};
  out += "\"box\":";
  append_json_numbers(out, box, kPixelDecimals);
  out += ",\"score\":";
  append_json_number(out, face.score, kFineDecimals);
  out += ",\"landmarks\":";
  append_json_points(out, face.landmarks);
  out += ",\"uncertainty\":";
  append_json_numbers(out, face.uncertainty, kPixelDecimals);
  out += ",\"headpose\":{\"yaw_deg\":";
  append_json_number(out, pose.yaw_deg, kAngleDecimals);
  out += ",\"pitch_deg\":";
  append_json_number(out, pose.pitch_deg, kAngleDecimals);
  out += ",\"roll_deg\":";
  append_json_number(out, pose.roll_deg, kAngleDecimals);
  out += ",\"translation\":";
  append_json_numbers(out, pose.translation, kFineDecimals);
  out += "},\"spread\":";  // the uncertainty's name up to version 0.1.0
  append_json_numbers(out, face.uncertainty, kPixelDecimals);
}

void append_json_line(std::string& out, const PictureFaces& picture) {
  out += "{\"source\":";
  append_json_text(out, picture.source);
  out +=
      ",\"width\":" + std::to_string(picture.width) + ",\"height\":" + std::to_string(picture.height) + ',';
  if (picture.in_3d) append_json_camera(out, picture.in_3d->camera), out += ',';
  out += "\"faces\":[";
  for (std::size_t i = 0; i < picture.faces.size(); ++i) {
    out += i > 0 ? ",{\"confidence\":" : "{\"confidence\":";
    append_json_number(out, picture.faces[i].confidence, kFineDecimals);
    out += ',';
    append_json_face_fields(out, picture.faces[i]);
    if (picture.in_3d) out += ',', append_json_face3d(out, picture.in_3d->faces[i], nullptr);
    if (picture.in_3d && !picture.in_3d->meshes.empty()) append_mesh(out, *picture.in_3d, i);
    out += '}';
  }
  out += "]}\n";
}

void append_csv_face_names(std::string& out, int landmarks) {
  out += "box_x,box_y,box_w,box_h,pose_yaw_deg,pose_pitch_deg,pose_roll_deg,pose_tx,pose_ty,pose_tz";
  append_names(out, "x_", landmarks);
  append_names(out, "y_", landmarks);
  append_names(out, "uncertainty_", landmarks);
  append_names(out, "spread_", landmarks);
}

int csv_face_columns(int landmarks) { return 4 + 6 + 4 * landmarks; }

void append_csv_face_fields(std::string& out, const Face& face) {
  const HeadPose& pose = face.headpose;
  base::append_fixed(out, face.box.x, kPixelDecimals);
  append_csv_numbers(out, std::array{face.box.y, face.box.width, face.box.height}, kPixelDecimals);
  append_csv_numbers(out, std::array{pose.yaw_deg, pose.pitch_deg, pose.roll_deg}, kAngleDecimals);
  append_csv_numbers(out, pose.translation, kFineDecimals);
  for (const Point& point : face.landmarks) append_csv_numbers(out, std::array{point.x}, kPixelDecimals);
  for (const Point& point : face.landmarks) append_csv_numbers(out, std::array{point.y}, kPixelDecimals);
  append_csv_numbers(out, face.uncertainty, kPixelDecimals);
  append_csv_numbers(out, face.uncertainty, kPixelDecimals);
}

void append_csv_header(std::string& out, int landmarks, bool in_3d) {
  out += "source,face,confidence,score,";
  append_csv_face_names(out, landmarks);
  if (in_3d) append_csv_face3d_names(out);
  out += '\n';
}

void append_csv_rows(std::string& out, const PictureFaces& picture, int landmarks) {
  if (landmarks > 0 && picture.faces.empty()) {
    base::append_csv_cell(out, picture.source);
    out.append(static_cast<std::size_t>(3 + csv_face_columns(landmarks)), ',');
    if (picture.in_3d) append_csv_face3d_fields(out, std::nullopt);
    out += '\n';
  }
  for (std::size_t i = 0; i < picture.faces.size(); ++i) {
    base::append_csv_cell(out, picture.source);
    out += ',' + std::to_string(i) + ',';
    base::append_fixed(out, picture.faces[i].confidence, kFineDecimals);
    out += ',';
    base::append_fixed(out, picture.faces[i].score, kFineDecimals);
    out += ',';
    append_csv_face_fields(out, picture.faces[i]);
    if (picture.in_3d) append_csv_face3d_fields(out, picture.in_3d->faces[i]);
    out += '\n';
  }
}

}  // namespace spiga::media
