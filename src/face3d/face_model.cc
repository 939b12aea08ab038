// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "face3d/camera.h"
#include "face3d/fitted.h"
#include "spiga/error.h"

namespace spiga {
namespace face3d {
namespace {

constexpr double kSmallestFace_px = 4;
constexpr int kFewestLandmarks = 12, kFewestInner = 8;
// What the head's shapes cannot follow and databases mark differently, per axis.
constexpr double kModelError_mm = 0.5;
constexpr double kFaceWidth_mm = 150;
// Of an unnamed uncertainty: the standard deviation in face widths.
constexpr double kUsualNoise = 0.008;
constexpr double kMeanErrorOfUnitNormal = 1.2533;  // sqrt(pi / 2): mean length of a standard normal pair
constexpr int kPlainRounds = 2, kRobustRounds = 1;

bool usable(const Point& p) {
  return std::isfinite(p.x) && std::isfinite(p.y) && std::abs(p.x) < 1e6f && std::abs(p.y) < 1e6f;
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::invalid_argument, "face in 3-D: " + what);
}

// Side of the landmarks' box in pixels: what stands for the face's width.
double face_size(std::span<const Point> landmarks) {
  double x0 = 1e9, x1 = -1e9, y0 = 1e9, y1 = -1e9;
  for (const Point& p : landmarks) {
    if (!usable(p)) continue;
    x0 = std::min<double>(x0, p.x);
    x1 = std::max<double>(x1, p.x);
    y0 = std::min<double>(y0, p.y);
    y1 = std::max<double>(y1, p.y);
  }
  return std::max({x1 - x0, y1 - y0, 0.0});
}

std::array<double, 3> to_array(const Eigen::Vector3f& v) { return {v.x(), v.y(), v.z()}; }

CameraPose pose_of(const State& state) {
  // Orthonormal to double precision.
  Eigen::Quaterniond turn(state.rotation.cast<double>().eval());
  turn.normalize();
  const Eigen::Matrix3d r = turn.toRotationMatrix();
  std::array<std::array<double, 3>, 3> rows;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = r(i, j);
  return make_camera_pose(rows, to_array(state.translation));
}

}  // namespace

Observation observe(std::span<const Point> landmarks, std::span<const float> uncertainty,
                    const Camera& camera) {
  check_camera(camera);
  if (landmarks.size() != kLandmarks)
    refuse(base::concat("expected 68 landmarks in the order of the 300-W mark-up, found ", landmarks.size()));
  if (!uncertainty.empty() && uncertainty.size() != kLandmarks)
    refuse(base::concat("expected 68 uncertainties or none, found ", uncertainty.size()));
  const double size = face_size(landmarks);
  if (size < kSmallestFace_px)
    refuse(base::concat("the landmarks lie within ", size, " pixels, expected a face of at least ",
                        kSmallestFace_px));
  const double focal = std::sqrt(camera.fx * camera.fy);
  const double model_error = kModelError_mm / kFaceWidth_mm * size;
  Observation seen;
  seen.place.setZero();
  int inner = 0;
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    if (!usable(landmarks[i])) continue;
    const auto ray = ray_of(camera, landmarks[i]);
    if (!ray) continue;
    double noise = kUsualNoise * size;
    if (!uncertainty.empty()) {
      if (!std::isfinite(uncertainty[i]) || uncertainty[i] < 0) continue;
      noise = uncertainty[i] / kMeanErrorOfUnitNormal;
    }
    const double sigma = std::hypot(noise, model_error) / focal;
    if (!(sigma > 0)) continue;
    seen.place(0, static_cast<int>(i)) = static_cast<float>((*ray)[0]);
    seen.place(1, static_cast<int>(i)) = static_cast<float>((*ray)[1]);
    seen.sigma[i] = static_cast<float>(sigma);
    ++seen.count;
    inner += i >= kContour;
  }
  if (seen.count < kFewestLandmarks || inner < kFewestInner)
    refuse(base::concat("only ", seen.count, " usable landmarks (", inner,
                        " off the contour), expected at least ", kFewestLandmarks, " (", kFewestInner, ")"));
  return seen;
}

State fit_cold(const FaceModel::Data& head, Solver& solver, const Observation& seen) {
  std::optional<State> state = solver.start(seen);
  if (!state) refuse("the landmarks determine no pose before the camera");
  const Prior prior = stranger(head);
  for (int k = 0; k < kPlainRounds + kRobustRounds; ++k)
    solver.round(seen, prior, *state, true, k >= kPlainRounds);
  if (!state->translation.allFinite() || !state->coefficients.allFinite() || !(state->translation.z() > 0))
    refuse("the landmarks determine no pose before the camera");
  return *state;
}

Face3d describe(const FaceModel::Data& head, Solver& solver, const Observation& seen, const State& state,
                const Camera& camera) {
  Face3d face;
  face.pose = pose_of(state);
  face.landmarks = seen.count;
  face.reprojection_px = static_cast<float>(solver.residual(seen, state) * std::sqrt(camera.fx * camera.fy));
  const auto& points = solver.place_points(state);
  for (int i = 0; i < kLandmarks; ++i) {
    const Eigen::Vector3f p = state.rotation * points.col(i) + state.translation;
    if (!(p.z() > 1)) refuse("the fitted head lies behind the camera");
    face.points_mm.push_back({p.x(), p.y(), p.z()});
  }
  const float* c = state.coefficients.data();
  face.expression.assign(c, c + head.shapes);
  face.identity.assign(c + head.shapes, c + head.coefficients());
  face.blendshapes = blendshapes_of(head, face.expression);
  const std::array<float, 2> open = open_eyes(head, state);
  face.signals = signals_of(openings(seen, state, points), face.blendshapes, open[0], open[1]);
  return face;
}

}  // namespace face3d

Face3d FaceModel::fit(std::span<const Point> landmarks, std::span<const float> uncertainty,
                      const Camera& camera) const {
  const face3d::Observation seen = face3d::observe(landmarks, uncertainty, camera);
  face3d::Solver solver(*data_);
  const face3d::State state = face3d::fit_cold(*data_, solver, seen);
  return face3d::describe(*data_, solver, seen, state, camera);
}

namespace {

face3d::State state_of(const FaceModel::Data& head, const Face3d& face) {
  face3d::State state;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j)
      state.rotation(i, j) =
          static_cast<float>(face.pose.rotation[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]);
    state.translation[i] = static_cast<float>(face.pose.translation_mm[static_cast<std::size_t>(i)]);
  }
  state.coefficients = Eigen::VectorXf::Zero(head.coefficients());
  const std::size_t shapes = static_cast<std::size_t>(head.shapes);
  if (face.expression.size() > shapes || face.identity.size() > static_cast<std::size_t>(head.modes))
    throw Error(
        ErrorCode::invalid_argument,
        base::concat("face in 3-D: ", face.expression.size(), " expression and ", face.identity.size(),
                     " identity coefficients, the head has ", head.shapes, " and ", head.modes));
  std::copy(face.expression.begin(), face.expression.end(), state.coefficients.data());
  std::copy(face.identity.begin(), face.identity.end(), state.coefficients.data() + shapes);
  return state;
}

}  // namespace

Mesh FaceModel::mesh(const Face3d& face, const Camera& camera) const {
  const face3d::State state = state_of(*data_, face);
  const std::size_t values = static_cast<std::size_t>(data_->vertices) * 3;
  std::vector<float> shape(data_->neutral);
  const auto add = [&](const auto* mode, float amount) {
    if (amount == 0) return;
    for (std::size_t i = 0; i < values; ++i) shape[i] += amount * static_cast<float>(mode[i]);
  };
  for (int k = 0; k < data_->shapes; ++k)
    add(data_->expression.data() + static_cast<std::size_t>(k) * values,
        state.coefficients[k] * data_->expression_scale[static_cast<std::size_t>(k)]);
  for (int k = 0; k < data_->modes; ++k)
    add(data_->identity.data() + static_cast<std::size_t>(k) * values,
        state.coefficients[data_->shapes + k] * data_->identity_scale[static_cast<std::size_t>(k)]);
  Mesh mesh;
  mesh.vertices_mm.reserve(static_cast<std::size_t>(data_->vertices));
  for (std::size_t i = 0; i < values; i += 3) {
    const Eigen::Vector3f p =
        state.rotation * Eigen::Vector3f(shape[i], shape[i + 1], shape[i + 2]) + state.translation;
    mesh.vertices_mm.push_back({p.x(), p.y(), p.z()});
    const auto pixel = project_point(camera, {p.x(), p.y(), p.z()});
    if (!pixel) throw Error(ErrorCode::invalid_argument, "face in 3-D: the mesh lies behind the camera");
    mesh.pixels.push_back(*pixel);
  }
  return mesh;
}

Face3d FaceModel::make(std::span<const float> identity, std::span<const float> expression,
                       const CameraPose& pose) const {
  Face3d face;
  face.pose = make_camera_pose(pose.rotation, pose.translation_mm);
  face.identity.assign(identity.begin(), identity.end());
  face.identity.resize(std::max(identity.size(), static_cast<std::size_t>(data_->modes)));
  face.expression.assign(expression.begin(), expression.end());
  face.expression.resize(std::max(expression.size(), static_cast<std::size_t>(data_->shapes)));
  const face3d::State state = state_of(*data_, face);
  face3d::Solver solver(*data_);
  const auto& points = solver.place_points(state);
  for (int i = 0; i < face3d::kLandmarks; ++i) {
    const Eigen::Vector3f p = state.rotation * points.col(i) + state.translation;
    face.points_mm.push_back({p.x(), p.y(), p.z()});
  }
  face.blendshapes = face3d::blendshapes_of(*data_, face.expression);
  return face;
}

std::vector<Point> FaceModel::landmarks(const Face3d& face, const Camera& camera) const {
  check_camera(camera);
  std::vector<Point> pixels;
  for (const auto& p : face.points_mm) {
    const auto pixel = project_point(camera, {p[0], p[1], p[2]});
    if (!pixel) throw Error(ErrorCode::invalid_argument, "face in 3-D: a landmark lies behind the camera");
    pixels.push_back(*pixel);
  }
  return pixels;
}

}  // namespace spiga
