// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/face3d_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/numbers.h"

namespace spiga::media {
namespace {

constexpr int kLengthDecimals = 2, kAngleDecimals = 2, kUnitDecimals = 5, kShareDecimals = 3;
constexpr int kLandmarks = 68;

void append_json_value(std::string& out, double value, int decimals) {
  if (std::isfinite(value)) {
    base::append_fixed(out, value, decimals);
  } else {
    out += "null";
  }
}

template <typename Values>
void append_json_list(std::string& out, const Values& values, int decimals) {
  out += '[';
  bool first = true;
  for (const auto value : values) {
    if (!first) out += ',';
    first = false;
    append_json_value(out, value, decimals);
  }
  out += ']';
}

void append_field(std::string& out, std::string_view name, double value, int decimals, bool first = false) {
  if (!first) out += ',';
  out.append("\"").append(name).append("\":");
  append_json_value(out, value, decimals);
}

void append_pose(std::string& out, const CameraPose& pose) {
  out += "\"pose\":{\"rotation\":[";
  for (std::size_t i = 0; i < 3; ++i) {
    if (i) out += ',';
    append_json_list(out, pose.rotation[i], kUnitDecimals);
  }
  out += "],\"quaternion\":";
  append_json_list(out, pose.quaternion, kUnitDecimals);
  out += ",\"translation_mm\":";
  append_json_list(out, pose.translation_mm, kLengthDecimals);
  append_field(out, "yaw_deg", pose.yaw_deg, kAngleDecimals);
  append_field(out, "pitch_deg", pose.pitch_deg, kAngleDecimals);
  append_field(out, "roll_deg", pose.roll_deg, kAngleDecimals);
  out += ",\"openface_rad\":";
  append_json_list(out, pose.openface_rad, kUnitDecimals);
  out += '}';
}

void append_signals(std::string& out, const FaceSignals& s) {
  out += ",\"signals\":{";
  append_field(out, "eye_opening_left_mm", s.eye_opening_left, kLengthDecimals, true);
  append_field(out, "eye_opening_right_mm", s.eye_opening_right, kLengthDecimals);
  append_field(out, "eye_open_left", s.eye_open_left, kShareDecimals);
  append_field(out, "eye_open_right", s.eye_open_right, kShareDecimals);
  out.append(",\"blink\":").append(s.blink ? "true" : "false");
  append_field(out, "mouth_opening_mm", s.mouth_opening, kLengthDecimals);
  append_field(out, "smile", s.smile, kShareDecimals);
  append_field(out, "brow_raise", s.brow_raise, kShareDecimals);
  out += '}';
}

void append_events(std::string& out, const std::vector<FaceEvent>& events) {
  out += ",\"events\":[";
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i) out += ',';
    out.append("{\"kind\":\"").append(name_of(events[i].kind)).append("\"");
    append_field(out, "start_s", events[i].start_s, 4);
    append_field(out, "end_s", events[i].end_s, 4);
    out += '}';
  }
  out += ']';
}

constexpr const char* kPoseColumns[] = {
    "cam_tx_mm", "cam_ty_mm", "cam_tz_mm", "cam_yaw_deg", "cam_pitch_deg", "cam_roll_deg", "cam_qw",
    "cam_qx",    "cam_qy",    "cam_qz",    "pose_Rx",     "pose_Ry",       "pose_Rz"};
constexpr const char* kSignalColumns[] = {"eye_opening_left_mm",
                                          "eye_opening_right_mm",
                                          "eye_open_left",
                                          "eye_open_right",
                                          "blink",
                                          "mouth_opening_mm",
                                          "smile",
                                          "brow_raise"};

}  // namespace

float action_unit_of(const ActionUnit& unit, const Face3d& face) {
  float value = 0;
  for (const int shape : unit.shapes)
    value = std::max(value, face.blendshapes[static_cast<std::size_t>(shape)]);
  return 5 * value;
}

void append_json_camera(std::string& out, const std::optional<Camera>& given) {
  out += "\"camera\":";
  if (!given) {
    out += "null";
    return;
  }
  const Camera& camera = *given;
  out += '{';
  append_field(out, "fx", camera.fx, kLengthDecimals, true);
  append_field(out, "fy", camera.fy, kLengthDecimals);
  append_field(out, "cx", camera.cx, kLengthDecimals);
  append_field(out, "cy", camera.cy, kLengthDecimals);
  out += ",\"distortion\":";
  append_json_list(out, camera.distortion, 6);
  out.append(",\"guessed\":").append(camera.guessed ? "true" : "false").append("}");
}

void append_json_face3d(std::string& out, const std::optional<Face3d>& face,
                        const std::vector<FaceEvent>* events) {
  out += "\"face3d\":";
  if (!face) {
    out += "null";
    return;
  }
  out += '{';
  append_pose(out, face->pose);
  append_field(out, "reprojection_px", face->reprojection_px, kLengthDecimals);
  out += ",\"points_mm\":[";
  for (std::size_t i = 0; i < face->points_mm.size(); ++i) {
    if (i) out += ',';
    append_json_list(out, face->points_mm[i], 1);
  }
  out += "],\"blendshapes\":{";
  for (std::size_t i = 0; i < face->blendshapes.size(); ++i)
    append_field(out, blendshapes()[i].name, face->blendshapes[i], kShareDecimals, i == 0);
  out += '}';
  append_signals(out, face->signals);
  if (events) append_events(out, *events);
  out += '}';
}

void append_json_mesh(std::string& out, const std::optional<Mesh>& mesh, const CameraPose& pose) {
  out += "\"mesh\":";
  if (!mesh) {
    out += "null";
    return;
  }
  std::vector<double> values;
  values.reserve(2 * mesh->pixels.size());
  for (const Point& pixel : mesh->pixels) values.insert(values.end(), {pixel.x, pixel.y});
  out += "{\"pixels\":";
  append_json_list(out, values, 1);
  values.clear();
  for (const auto& vertex : mesh->vertices_mm) values.push_back(vertex[2] - pose.translation_mm[2]);
  out += ",\"depth_mm\":";
  append_json_list(out, values, 1);
  out += '}';
}

void append_json_triangles(std::string& out, const FaceModel& model) {
  out += "{\"triangles\":[";
  bool first = true;
  for (const auto& corners : model.triangles())
    for (const std::uint16_t corner : corners) {
      if (!first) out += ',';
      first = false;
      out += std::to_string(corner);
    }
  out += "]}\n";
}

void append_csv_face3d_names(std::string& out) {
  for (const char* name : kPoseColumns) out.append(",").append(name);
  for (const char* name : kSignalColumns) out.append(",").append(name);
  for (const BlendshapeInfo& info : blendshapes()) out.append(",").append(info.name);
  for (const ActionUnit& unit : derived_action_units()) out.append(",").append(unit.name);
  for (const char* axis : {"X_", "Y_", "Z_"})
    for (int i = 0; i < kLandmarks; ++i) out.append(",").append(axis).append(std::to_string(i));
}

void append_csv_face3d_fields(std::string& out, const std::optional<Face3d>& face) {
  if (!face) {
    out.append(std::size(kPoseColumns) + std::size(kSignalColumns) + blendshapes().size() +
                   derived_action_units().size() + 3 * kLandmarks,
               ',');
    return;
  }
  const auto add = [&out](double value, int decimals) {
    out += ',';
    base::append_fixed(out, value, decimals);
  };
  const CameraPose& pose = face->pose;
  for (const double t : pose.translation_mm) add(t, kLengthDecimals);
  for (const double angle : {pose.yaw_deg, pose.pitch_deg, pose.roll_deg}) add(angle, kAngleDecimals);
  for (const double q : pose.quaternion) add(q, kUnitDecimals);
  for (const double angle : pose.openface_rad) add(angle, kUnitDecimals);
  const FaceSignals& s = face->signals;
  add(s.eye_opening_left, kLengthDecimals);
  add(s.eye_opening_right, kLengthDecimals);
  add(s.eye_open_left, kShareDecimals);
  add(s.eye_open_right, kShareDecimals);
  out += s.blink ? ",1" : ",0";
  add(s.mouth_opening, kLengthDecimals);
  add(s.smile, kShareDecimals);
  add(s.brow_raise, kShareDecimals);
  for (const float value : face->blendshapes) add(value, kShareDecimals);
  for (const ActionUnit& unit : derived_action_units()) add(action_unit_of(unit, *face), kShareDecimals);
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const auto& point : face->points_mm) add(point[axis], 1);
}

}  // namespace spiga::media
