// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "face3d/solver.h"
#include "face3d/solver_limits.h"

namespace spiga::face3d {

std::optional<State> Solver::start(const Observation& seen) {
  State state;
  state.coefficients = Eigen::VectorXf::Zero(head_.coefficients());
  // Scaled orthography on the inner landmarks: place = a x + b with a affine in the head's points.
  Eigen::Matrix4d normal = Eigen::Matrix4d::Zero();
  Eigen::Matrix<double, 4, 2> right = Eigen::Matrix<double, 4, 2>::Zero();
  int count = 0;
  for (int i = kContour; i < kLandmarks; ++i) {
    if (seen.sigma[static_cast<std::size_t>(i)] <= 0) continue;
    Eigen::Vector4d x;
    x << head_.base.segment<3>(3 * head_.candidate_of(i)).cast<double>(), 30.0;
    const double w = 1 / seen.sigma[static_cast<std::size_t>(i)];
    normal += w * x * x.transpose();
    right += w * x * seen.place.col(i).cast<double>().transpose();
    ++count;
  }
  if (count < 4) return std::nullopt;
  const Eigen::LDLT<Eigen::Matrix4d> solver(normal);
  const Eigen::Vector4d pivots = solver.vectorD();
  if (!(pivots.minCoeff() > 1e-7 * pivots.maxCoeff())) return std::nullopt;
  const Eigen::Matrix<double, 4, 2> affine = solver.solve(right);
  // The orthonormal pair of rows nearest to the affine map's, which lie about the bisectors of theirs.
  const Eigen::Vector3d first = affine.col(0).head<3>(), second = affine.col(1).head<3>();
  const double scale = 0.5 * (first.norm() + second.norm());
  if (!(scale > 1e-9) || !(scale < 1) || !(first.norm() > 0.05 * scale) || !(second.norm() > 0.05 * scale))
    return std::nullopt;
  const Eigen::Vector3d sum = first.normalized() + second.normalized(),
                        difference = first.normalized() - second.normalized();
  if (!(sum.norm() > 0.1) || !(difference.norm() > 0.1)) return std::nullopt;
  const Eigen::Vector3d c = sum.normalized(), d = difference.normalized();
  state.rotation.row(0) = ((c + d) * std::sqrt(0.5)).cast<float>().transpose();
  state.rotation.row(1) = ((c - d) * std::sqrt(0.5)).cast<float>().transpose();
  state.rotation.row(2) = state.rotation.row(0).cross(state.rotation.row(1));
  const double depth = 1 / scale;
  state.translation =
      Eigen::Vector3d(affine(3, 0) * 30 * depth, affine(3, 1) * 30 * depth, depth).cast<float>();
  for (int k = 0; k < 4; ++k) {
    linearise(seen, state, false);
    const auto j = jacobian_.leftCols<6>();
    Eigen::Matrix<double, 6, 6> h = (j.transpose() * j).cast<double>();
    h.diagonal() *= 1 + 1e-5;
    Eigen::VectorXf step = -h.ldlt().solve((j.transpose() * r_).cast<double>()).cast<float>();
    if (!step.allFinite()) return std::nullopt;
    const float turn = step.head<3>().norm();
    if (turn > kMostTurn) step.head<3>() *= kMostTurn / turn;
    apply(step, state);
    if (!(state.translation.z() > 2 * kNearest_mm)) return std::nullopt;
  }
  return state;
}

}  // namespace spiga::face3d
