// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Dense>
#include <array>
#include <optional>
#include <vector>

#include "face3d/head_data.h"

// Gauss-Newton for pose, expression and identity of the head from landmarks.
namespace spiga::face3d {

inline constexpr int kLandmarks = 68, kContour = 17;

// What the fit has to explain: landmarks on the plane z = 1 before the camera.
struct Observation {
  Eigen::Matrix<float, 2, kLandmarks> place;  // undistorted
  std::array<float, kLandmarks> sigma = {};   // standard deviation per axis there; 0: does not count
  int count = 0;
};

struct State {
  Eigen::Matrix3f rotation = Eigen::Matrix3f::Identity();
  Eigen::Vector3f translation = Eigen::Vector3f::Zero();  // mm
  Eigen::VectorXf coefficients;                           // expressions, then identity
};

// Of a rotation vector: axis times radians.
Eigen::Matrix3f rotation_of(const Eigen::Vector3f& w);

// Where the head is expected, and how surely: precisions of rotation (about the camera's axes, radians) and
// translation (mm), one for each axis.
struct PosePrior {
  Eigen::Matrix3f rotation = Eigen::Matrix3f::Identity();
  Eigen::Vector3f translation = Eigen::Vector3f::Zero();
  Eigen::Vector3f rotation_precision = Eigen::Vector3f::Zero(),
                  translation_precision = Eigen::Vector3f::Zero();
};

// Gaussian knowledge before the landmarks are looked at.
struct Prior {
  std::optional<PosePrior> pose;
  Eigen::VectorXf expression_mean, expression_precision;  // [shapes]
  float sparsity = 0;  // slope of the cost along each expression: most of a face is at rest most of the time
  float symmetry_precision = 0;        // of left minus right, less their means' difference
  Eigen::VectorXf identity_mean;       // [modes]
  Eigen::MatrixXf identity_precision;  // [modes, modes]
};
// The one of a stranger's face in a single picture.
Prior stranger(const FaceModel::Data& head);

class Solver {
 public:
  explicit Solver(const FaceModel::Data& head);

  // Pose of the mean head: scaled orthography for a start, then Gauss-Newton on the pose alone. Nothing where
  // the landmarks do not determine one before the camera.
  std::optional<State> start(const Observation& seen);

  // One round. With `identity` its coefficients move too. Returns half the sum of the
  // landmarks' weighted squares before the round.
  double round(const Observation& seen, const Prior& prior, State& state, bool identity, bool robust);

  // Of the last round with identity: the information about identity (prior included) once pose and expression
  // are taken out, [modes, modes].
  Eigen::MatrixXf identity_information() const;

  // The 68 points of the head in its own frame under these coefficients, contour landmarks on the outline
  // that the camera sees, [3, 68].
  const Eigen::Matrix<float, 3, kLandmarks>& place_points(const State& state);
  // Root of the mean squared distance on the plane z = 1, contour landmarks along their outline's normal
  // only.
  float residual(const Observation& seen, const State& state);

  // For tests: weighted residuals and their derivatives by pose (rotation, translation), expressions,
  // identity.
  void linearise(const Observation& seen, const State& state, bool robust);
  const Eigen::VectorXf& residuals() const { return r_; }
  const Eigen::MatrixXf& jacobian() const { return jacobian_; }
  // Applies a step of those parameters: rotation about the camera's axes (radians), translation,
  // coefficients.
  static void apply(const Eigen::VectorXf& step, State& state);

 private:
  void choose_outline(const State& state);
  void add_prior(const Prior& prior, const State& state, int parameters);
  void assemble(const Prior& prior);
  void solve(const Prior& prior, const State& state, int parameters);

  const FaceModel::Data& head_;
  Eigen::VectorXf candidates_;                  // [candidates * 3] in the head's frame
  std::array<int, kLandmarks> chosen_ = {};     // candidate of each landmark
  Eigen::Matrix<float, 3, kLandmarks> points_;  // in the head's frame
  Eigen::Matrix<float, 2, kContour> normals_;   // of the outline, on the plane z = 1
  Eigen::VectorXf r_;                           // [136]
  Eigen::MatrixXf jacobian_;                    // [136, 6 + coefficients]
  Eigen::MatrixXf hessian_;
  Eigen::MatrixXd system_;
  Eigen::MatrixXf columns_;  // the Jacobian's free columns
  std::vector<int> free_;    // parameters that are solved for, ascending
  Eigen::VectorXf gradient_, step_;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  int factored_ = 0;
};

}  // namespace spiga::face3d
