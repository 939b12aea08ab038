// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>

#include "face3d/solver.h"
#include "face3d/solver_limits.h"

namespace spiga::face3d {
namespace {

constexpr int kActiveSetRounds = 2;

}  // namespace

void Solver::add_prior(const Prior& prior, const State& state, int parameters) {
  const int shapes = head_.shapes;
  if (prior.pose) {
    const Eigen::AngleAxisf off(state.rotation * prior.pose->rotation.transpose());
    gradient_.head<3>() += prior.pose->rotation_precision.cwiseProduct(off.angle() * off.axis());
    gradient_.segment<3>(3) +=
        prior.pose->translation_precision.cwiseProduct(state.translation - prior.pose->translation);
  }
  const auto expressions = state.coefficients.head(shapes);
  for (int k = 0; k < shapes; ++k) {
    const float off = expressions[k] - prior.expression_mean[k];
    gradient_[6 + k] += prior.expression_precision[k] * off + prior.sparsity;
    const int m = head_.mirror[static_cast<std::size_t>(k)];
    if (m != k)
      gradient_[6 + k] += prior.symmetry_precision * (off - expressions[m] + prior.expression_mean[m]);
  }
  if (parameters > 6 + shapes)
    gradient_.tail(head_.modes) +=
        prior.identity_precision * (state.coefficients.tail(head_.modes) - prior.identity_mean);
}

// Normal equations of the free parameters, priors included: their lower triangle.
void Solver::assemble(const Prior& prior) {
  const int count = static_cast<int>(free_.size()), shapes = head_.shapes;
  columns_.resize(jacobian_.rows(), count);
  for (int i = 0; i < count; ++i) columns_.col(i) = jacobian_.col(free_[static_cast<std::size_t>(i)]);
  hessian_.setZero(count, count);
  hessian_.selfadjointView<Eigen::Lower>().rankUpdate(columns_.transpose());
  for (int i = 0; i < count; ++i) {
    const int p = free_[static_cast<std::size_t>(i)], k = p - 6;
    if (k < 0) {
      hessian_(i, i) *= 1 + 1e-6f;
      if (prior.pose)
        hessian_(i, i) +=
            p < 3 ? prior.pose->rotation_precision[p] : prior.pose->translation_precision[p - 3];
    } else if (k < shapes) {
      const int m = head_.mirror[static_cast<std::size_t>(k)];
      hessian_(i, i) += prior.expression_precision[k] + (m == k ? 0 : prior.symmetry_precision);
      if (m >= k) continue;
      const auto other = std::lower_bound(free_.begin(), free_.end(), 6 + m);
      if (*other == 6 + m) hessian_(i, static_cast<int>(other - free_.begin())) -= prior.symmetry_precision;
    }
  }
  if (free_.back() < 6 + shapes) return;
  const int modes = head_.modes;  // never bounded: they are the last ones
  hessian_.bottomRightCorner(modes, modes) += prior.identity_precision;
}

// Expressions stay within 0 and 1. Those that stand on a bound and are pushed outwards are left out; those
// that the step would take out go to the bound, and the others are solved for once more.
void Solver::solve(const Prior& prior, const State& state, int parameters) {
  const int shapes = head_.shapes;
  step_.setZero(parameters);
  std::array<bool, 256> fixed = {};
  const auto expressions = state.coefficients.head(shapes);
  for (int k = 0; k < shapes; ++k)
    fixed[static_cast<std::size_t>(k)] =
        (expressions[k] <= 0 && gradient_[6 + k] > 0) || (expressions[k] >= 1 && gradient_[6 + k] < 0);
  for (int attempt = 0; attempt < kActiveSetRounds; ++attempt) {
    free_.clear();
    for (int p = 0; p < parameters; ++p)
      if (p < 6 || p >= 6 + shapes || !fixed[static_cast<std::size_t>(p - 6)]) free_.push_back(p);
    assemble(prior);
    // What the parameters that went to their bounds have changed already.
    Eigen::VectorXf pull = gradient_;
    if (attempt > 0) {
      pull.noalias() += jacobian_.leftCols(parameters).transpose() * (jacobian_.leftCols(parameters) * step_);
      for (int k = 0; k < shapes; ++k) {
        const int m = head_.mirror[static_cast<std::size_t>(k)];
        pull[6 + k] += prior.expression_precision[k] * step_[6 + k] +
                       (m == k ? 0 : prior.symmetry_precision * (step_[6 + k] - step_[6 + m]));
      }
    }
    const int count = static_cast<int>(free_.size());
    Eigen::VectorXd right(count);
    for (int i = 0; i < count; ++i) right[i] = -pull[free_[static_cast<std::size_t>(i)]];
    system_ = hessian_.cast<double>();
    factor_.compute(system_);
    factor_.solveInPlace(right);
    bool more = false;
    for (int i = 0; i < count; ++i) {
      const int p = free_[static_cast<std::size_t>(i)], k = p - 6;
      float step = static_cast<float>(right[i]);
      if (k >= 0 && k < shapes) {
        const float wanted = expressions[k] + step;
        if (wanted < 0 || wanted > 1) {
          fixed[static_cast<std::size_t>(k)] = more = true;
          step = std::clamp(wanted, 0.0f, 1.0f) - expressions[k];
        }
      }
      step_[p] = step;
    }
    if (!more || attempt + 1 == kActiveSetRounds) break;
    for (int p = 0; p < parameters; ++p)  // only those on their bounds keep their step
      if (p < 6 || p >= 6 + shapes || !fixed[static_cast<std::size_t>(p - 6)]) step_[p] = 0;
  }
  factored_ = parameters;
}

double Solver::round(const Observation& seen, const Prior& prior, State& state, bool identity, bool robust) {
  linearise(seen, state, robust);
  const int parameters = 6 + head_.shapes + (identity ? head_.modes : 0);
  gradient_.noalias() = jacobian_.leftCols(parameters).transpose() * r_;
  const double cost = 0.5 * r_.squaredNorm();
  add_prior(prior, state, parameters);
  solve(prior, state, parameters);
  const float turn = step_.head<3>().norm();
  if (turn > kMostTurn) step_ *= kMostTurn / turn;
  apply(step_, state);
  state.coefficients.head(head_.shapes) = state.coefficients.head(head_.shapes).cwiseMax(0.0f).cwiseMin(1.0f);
  return cost;
}

Eigen::MatrixXf Solver::identity_information() const {
  const int modes = head_.modes;
  if (factored_ != 6 + head_.coefficients()) return Eigen::MatrixXf::Zero(modes, modes);
  const Eigen::MatrixXd lower = factor_.matrixL();
  const Eigen::MatrixXd corner = lower.bottomRightCorner(modes, modes);
  return (corner * corner.transpose()).cast<float>();
}

}  // namespace spiga::face3d
