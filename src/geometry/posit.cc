// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "geometry/head_pose.h"

namespace spiga::geometry {
namespace {

constexpr int kMostRounds = 100;
// Published: the squared movement of all points between rounds on a map of 64 cells is below 0.01.
constexpr double kStillness = 0.01 / (64.0 * 64.0);
// Singular values of the points below this fraction of the largest count as none: the points are flat.
constexpr double kFlat = 1e-6;

using Points4 = Eigen::Matrix<double, Eigen::Dynamic, 4>;
using Vector = Eigen::VectorXd;

// One round's estimate: the first two rows of the rotation, still scaled orthography.
struct Estimate {
  Eigen::Vector3d r1, r2, r3;
  Eigen::Vector3d translation;
};

Estimate estimate(const Eigen::Matrix<double, 4, Eigen::Dynamic>& inverse, const Vector& u, const Vector& v) {
  const Eigen::Vector4d i = inverse * u, j = inverse * v;
  Estimate result;
  const double depth = std::sqrt(1 / (i.head<3>().norm() * j.head<3>().norm()));
  result.r1 = (i.head<3>() * depth).cwiseMax(-1).cwiseMin(1);
  result.r2 = (j.head<3>() * depth).cwiseMax(-1).cwiseMin(1);
  result.r3 = result.r1.cross(result.r2);
  result.translation = {i[3] * depth, j[3] * depth, depth};
  return result;
}

RigidPose nearest_rigid(const Estimate& found) {
  Eigen::Matrix3d rows;
  rows << found.r1.transpose(), found.r2.transpose(), found.r3.transpose();
  const Eigen::JacobiSVD<Eigen::Matrix3d> svd(rows, Eigen::ComputeFullU | Eigen::ComputeFullV);
  const double sign = (svd.matrixU() * svd.matrixV().transpose()).determinant() < 0 ? -1 : 1;
  const Eigen::Matrix3d rotation =
      svd.matrixU() * Eigen::Vector3d(1, 1, sign).asDiagonal() * svd.matrixV().transpose();
  RigidPose pose;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) pose.rotation[i][j] = rotation(i, j);
    pose.translation[i] = found.translation[i];
  }
  return pose;
}

}  // namespace

std::optional<RigidPose> posit(std::span<const Vector3> world, std::span<const Point> image,
                               const Camera& camera) {
  const auto count = static_cast<Eigen::Index>(std::min(world.size(), image.size()));
  if (count < 4) return std::nullopt;
  Points4 a(count, 4);
  Vector u0(count), v0(count);
  for (Eigen::Index n = 0; n < count; ++n) {
    a.row(n) << world[n][0], world[n][1], world[n][2], 1;
    u0[n] = (image[n].x - camera.centre_x) / camera.focal;
    v0[n] = (image[n].y - camera.centre_y) / camera.focal;
  }
  Eigen::ColPivHouseholderQR<Points4> qr(a);
  qr.setThreshold(kFlat);
  if (qr.rank() < 4) return std::nullopt;
  const Eigen::Matrix<double, 4, Eigen::Dynamic> inverse = (a.transpose() * a).ldlt().solve(a.transpose());

  Vector u = u0, v = v0, depths;
  Estimate found;
  for (int round = 0; round < kMostRounds; ++round) {
    found = estimate(inverse, u, v);
    const double tz = found.translation[2];
    if (!std::isfinite(tz)) return std::nullopt;
    depths = (a.leftCols<3>() * found.r3).array() / tz + 1;
    const Vector next_u = depths.cwiseProduct(u0), next_v = depths.cwiseProduct(v0);
    const double moved = (next_u - u).squaredNorm() + (next_v - v).squaredNorm();
    u = next_u;
    v = next_v;
    if (round > 0 && camera.focal * camera.focal * moved < kStillness) break;
  }
  if (!found.translation.allFinite() || !(depths.minCoeff() > 0)) return std::nullopt;
  return nearest_rigid(found);
}

}  // namespace spiga::geometry
