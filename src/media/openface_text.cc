// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/openface_text.h"

#include <array>
#include <cmath>
#include <string_view>

#include "base/numbers.h"

namespace spiga::media {
namespace {

constexpr int kLandmarks = 68;
constexpr const char* kPose[] = {"pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz"};
constexpr const char* kRigid[] = {"p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty"};

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

class Row {
 public:
  explicit Row(std::string& out) : out_(out) {}
  void add(double value, int decimals) {
    out_ += ',';
    base::append_fixed(out_, std::isfinite(value) ? value : 0, decimals);
  }
  void zeros(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out_ += ",0";
  }

 private:
  std::string& out_;
};

std::size_t columns_in_3d() { return 3 * kLandmarks + std::size(kRigid) + derived_action_units().size(); }
std::size_t columns() { return std::size(kPose) + 2 * kLandmarks + columns_in_3d(); }

// What turns the camera's axis to the ray on which a point lies, the shortest way.
Matrix axis_to_ray(const Vector& point) {
  const double length = std::hypot(point[0], point[1], point[2]);
  const double x = point[0] / length, y = point[1] / length, z = point[2] / length, k = 1 / (1 + z);
  return {{{1 - k * x * x, -k * x * y, x}, {-k * x * y, 1 - k * y * y, y}, {-x, -y, z}}};
}

// The head's rotation seen along its ray, as a camera without perspective sees it.
Matrix seen_along_ray(const CameraPose& pose) {
  const Matrix turn = axis_to_ray(pose.translation_mm);
  Matrix seen = {};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) seen[i][j] += turn[k][i] * pose.rotation[k][j];
  return seen;
}

void add_rigid(Row& row, const CameraPose& pose, const Camera& camera) {
  const CameraPose seen = make_camera_pose(seen_along_ray(pose), pose.translation_mm);
  const Point place = project_point(camera, pose.translation_mm).value_or(Point());
  row.add(camera.fx / pose.translation_mm[2], 4);
  for (const double angle : seen.openface_rad) row.add(angle, 4);
  row.add(place.x, 2);
  row.add(place.y, 2);
}

// From pose_Tx on.
void add_face(std::string& out, const Face& face, const std::optional<Face3d>& fitted,
              const std::optional<Camera>& camera) {
  Row row(out);
  if (fitted) {
    for (const double t : fitted->pose.translation_mm) row.add(t, 2);
    for (const double angle : fitted->pose.openface_rad) row.add(angle, 4);
  } else {
    row.zeros(std::size(kPose));
  }
  for (const Point& point : face.landmarks) row.add(point.x, 2);
  for (const Point& point : face.landmarks) row.add(point.y, 2);
  if (!fitted || !camera) {
    row.zeros(columns_in_3d());
    return;
  }
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const auto& point : fitted->points_mm) row.add(point[axis], 1);
  add_rigid(row, fitted->pose, *camera);
  for (const ActionUnit& unit : derived_action_units()) row.add(action_unit_of(unit, *fitted), 2);
}

void append_names(std::string& out, std::string_view stem) {
  for (int i = 0; i < kLandmarks; ++i) out.append(",").append(stem).append(std::to_string(i));
}

void begin_frame(std::string& out, const FrameFaces& frame, int id, double confidence, bool success) {
  out += std::to_string(frame.frame + 1) + ',' + std::to_string(id) + ',';
  base::append_fixed(out, frame.time_s, 4);
  out += ',';
  base::append_fixed(out, std::isfinite(confidence) ? confidence : 0, 4);
  out += success ? ",1" : ",0";
}

}  // namespace

void append_openface_header(std::string& out, bool video) {
  out += video ? "frame,face_id,timestamp,confidence,success" : "face,confidence";
  for (const char* name : kPose) out.append(",").append(name);
  for (const char* stem : {"x_", "y_", "X_", "Y_", "Z_"}) append_names(out, stem);
  for (const char* name : kRigid) out.append(",").append(name);
  for (const ActionUnit& unit : derived_action_units())
    out.append(",").append(std::string_view(unit.name).substr(0, 4)).append("_r");
  out += '\n';
}

void append_openface_rows(std::string& out, const FrameFaces& frame) {
  for (std::size_t i = 0; i < frame.faces.size(); ++i) {
    const TrackedFace& tracked = frame.faces[i];
    begin_frame(out, frame, tracked.id, tracked.confidence, tracked.found);
    if (tracked.found) {
      add_face(out, tracked.face, frame.in_3d ? frame.in_3d->faces[i] : std::nullopt,
               frame.in_3d ? frame.in_3d->camera : std::nullopt);
    } else {
      Row(out).zeros(columns());
    }
    out += '\n';
  }
  if (!frame.faces.empty()) return;
  begin_frame(out, frame, 0, 0, false);
  Row(out).zeros(columns());
  out += '\n';
}

void append_openface_rows(std::string& out, const PictureFaces& picture) {
  for (std::size_t i = 0; i < picture.faces.size(); ++i) {
    out += std::to_string(i) + ',';
    base::append_fixed(out, std::isfinite(picture.faces[i].confidence) ? picture.faces[i].confidence : 0, 4);
    add_face(out, picture.faces[i], picture.in_3d ? picture.in_3d->faces[i] : std::nullopt,
             picture.in_3d ? picture.in_3d->camera : std::nullopt);
    out += '\n';
  }
}

}  // namespace spiga::media
