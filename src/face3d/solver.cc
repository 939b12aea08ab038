// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "face3d/solver.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "face3d/solver_limits.h"

namespace spiga::face3d {
namespace {

constexpr float kSlideWeight = 0.2f;  // of a contour landmark along its outline, where it may slide
constexpr float kRobust = 3.5f;       // standard deviations from which on a landmark counts for less

Eigen::Vector2f seen_at(const Eigen::Vector3f& point) { return point.head<2>() / std::max(point.z(), 1.0f); }

}  // namespace

Eigen::Matrix3f rotation_of(const Eigen::Vector3f& w) {
  const float angle = w.norm();
  return angle < 1e-9f ? Eigen::Matrix3f(Eigen::Matrix3f::Identity())
                       : Eigen::AngleAxisf(angle, w / angle).toRotationMatrix();
}

Prior stranger(const FaceModel::Data& head) {
  Prior prior;
  prior.expression_mean = Eigen::VectorXf::Zero(head.shapes);
  prior.expression_precision = Eigen::VectorXf::Constant(head.shapes, 6.0f);
  prior.symmetry_precision = 8.0f;
  prior.identity_mean = Eigen::VectorXf::Zero(head.modes);
  prior.identity_precision = Eigen::MatrixXf::Identity(head.modes, head.modes);
  return prior;
}

Solver::Solver(const FaceModel::Data& head) : head_(head) {
  r_.resize(2 * kLandmarks);
  jacobian_.resize(2 * kLandmarks, 6 + head.coefficients());
}

void Solver::apply(const Eigen::VectorXf& step, State& state) {
  state.rotation = rotation_of(step.head<3>()) * state.rotation;
  state.translation += step.segment<3>(3);
  state.coefficients.head(step.size() - 6) += step.tail(step.size() - 6);
}

void Solver::choose_outline(const State& state) {
  const int slide = head_.slide;
  for (int i = kContour; i < kLandmarks; ++i) chosen_[static_cast<std::size_t>(i)] = head_.candidate_of(i);
  // Away from the face's middle, as the camera sees it: a direction per landmark, from its place on the head.
  // Straight to the side above the mouth, all around below it.
  for (int i = 0; i < kContour; ++i) {
    const int first = head_.candidate_of(i);
    const Eigen::Vector3f own = candidates_.segment<3>(3 * first);
    const Eigen::Vector3f middle(0, std::min(own.y(), 20.0f), 60);
    Eigen::Vector3f away = own - middle;
    away.z() = 0;
    const Eigen::Vector2f outward = seen_at(state.rotation * (middle + away) + state.translation) -
                                    seen_at(state.rotation * middle + state.translation);
    int best = first;
    float farthest = -1e30f;
    for (int k = 0; k < slide; ++k) {
      const Eigen::Vector3f point =
          state.rotation * candidates_.segment<3>(3 * (first + k)) + state.translation;
      const float distance = outward.dot(seen_at(point));
      if (distance > farthest) {
        farthest = distance;
        best = first + k;
      }
    }
    chosen_[static_cast<std::size_t>(i)] = best;
  }
  for (int i = 0; i < kLandmarks; ++i)
    points_.col(i) = candidates_.segment<3>(3 * chosen_[static_cast<std::size_t>(i)]);
  for (int i = 0; i < kContour; ++i) {
    const int before = std::max(i - 1, 0), behind = std::min(i + 1, kContour - 1);
    const Eigen::Vector2f along = seen_at(state.rotation * points_.col(behind) + state.translation) -
                                  seen_at(state.rotation * points_.col(before) + state.translation);
    const float length = along.norm();
    normals_.col(i) = length > 1e-9f ? Eigen::Vector2f(Eigen::Vector2f(-along.y(), along.x()) / length)
                                     : Eigen::Vector2f(1, 0);
  }
}

const Eigen::Matrix<float, 3, kLandmarks>& Solver::place_points(const State& state) {
  candidates_ = head_.base;
  candidates_.noalias() += head_.basis * state.coefficients;
  choose_outline(state);
  return points_;
}

float Solver::residual(const Observation& seen, const State& state) {
  place_points(state);
  double sum = 0;
  int count = 0;
  for (int i = 0; i < kLandmarks; ++i) {
    if (seen.sigma[static_cast<std::size_t>(i)] <= 0) continue;
    const Eigen::Vector2f off =
        seen_at(state.rotation * points_.col(i) + state.translation) - seen.place.col(i);
    const float distance = i < kContour ? normals_.col(i).dot(off) : off.norm();
    sum += static_cast<double>(distance) * distance;
    ++count;
  }
  return count ? static_cast<float>(std::sqrt(sum / count)) : 0;
}

void Solver::linearise(const Observation& seen, const State& state, bool robust) {
  place_points(state);
  const int coefficients = head_.coefficients();
  for (int i = 0; i < kLandmarks; ++i) {
    const float sigma = seen.sigma[static_cast<std::size_t>(i)];
    if (sigma <= 0) {
      r_.segment<2>(2 * i).setZero();
      jacobian_.middleRows<2>(2 * i).setZero();
      continue;
    }
    const Eigen::Vector3f turned = state.rotation * points_.col(i);
    Eigen::Vector3f at = turned + state.translation;
    at.z() = std::max(at.z(), kNearest_mm);
    const Eigen::Vector2f place = at.head<2>() / at.z();
    Eigen::Matrix2f weight = Eigen::Matrix2f::Identity() / sigma;
    if (i < kContour) {
      const Eigen::Vector2f n = normals_.col(i);
      weight.row(0) = n.transpose() / sigma;
      weight.row(1) = Eigen::RowVector2f(-n.y(), n.x()) * (kSlideWeight / sigma);
    }
    Eigen::Vector2f residual = weight * (place - seen.place.col(i));
    if (robust) {
      const float damp = 1 / std::sqrt(1 + residual.squaredNorm() / (kRobust * kRobust));
      weight *= damp;
      residual *= damp;
    }
    r_.segment<2>(2 * i) = residual;
    Eigen::Matrix<float, 2, 3> projection;
    projection << 1, 0, -place.x(), 0, 1, -place.y();
    const Eigen::Matrix<float, 2, 3> by_point = weight * projection / at.z();
    Eigen::Matrix3f cross;
    cross << 0, turned.z(), -turned.y(), -turned.z(), 0, turned.x(), turned.y(), -turned.x(), 0;
    jacobian_.block<2, 3>(2 * i, 0).noalias() = by_point * cross;
    jacobian_.block<2, 3>(2 * i, 3) = by_point;
    const Eigen::Matrix<float, 2, 3> by_head = by_point * state.rotation;
    const auto rows = head_.basis.middleRows<3>(3 * chosen_[static_cast<std::size_t>(i)]);
    for (int axis = 0; axis < 2; ++axis)
      jacobian_.row(2 * i + axis).tail(coefficients).noalias() =
          by_head(axis, 0) * rows.row(0) + by_head(axis, 1) * rows.row(1) + by_head(axis, 2) * rows.row(2);
  }
}

}  // namespace spiga::face3d
