// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"
#include "face3d/events.h"
#include "face3d/fitted.h"
#include "spiga/error.h"

namespace spiga {
namespace {

using face3d::Observation;
using face3d::PosePrior;
using face3d::Prior;
using face3d::Solver;
using face3d::State;

// Identity learns from so many frames of a head turned about as far (bins of yaw), then is held.
constexpr int kLearnFrames = 40;
constexpr double kYawBin_deg = 20;
// Landmarks' errors are alike from frame to frame, so each frame tells less than its numbers say.
constexpr float kNewInformation = 0.4f;
constexpr double kForget_s = 1;  // after such a gap the pose starts anew
// How far expressions go per square root of a second (standard deviation), lids and others.
constexpr float kLidSpeed = 4.5f, kSpeed = 1.1f;
// How far the pose of a frame is from where the last frames' motion leads, over the squared time between
// them (standard deviation): a nod of 8 degrees in 0.75 s turns by 560 degrees per squared second.
constexpr float kTurnNoise_deg = 600, kSideNoise_mm = 1200, kDepthNoise_mm = 6000;
constexpr float kMotionGain = 0.3f;   // what a frame tells of the motion
constexpr float kShortest_s = 0.02f;  // frames that follow faster are taken as so far apart
// Priors of expressions in tracks, chosen on made-up tracks (bench/face3d.cc).
constexpr float kRestPrecision = 4, kSymmetry = 40, kSparsity = 1.2f;
// Landmarks this far from where the last frame's head has them (half the damped squares of a landmark, in
// standard deviations; 6 at most) start anew.
constexpr double kBadCost = 4;
// The person's open eye: goes up fast, down slowly.
constexpr float kOpenRise = 0.05f, kOpenFall = 0.002f;
// Rest of each expression: the level that it is below for a fifth of the time; at most this.
constexpr float kMostRest = 0.3f, kRestStep = 0.01f, kRestShare = 0.2f;

}  // namespace

struct FaceModelTrack::Impl {
  Impl(FaceModel given, const FaceModelTrackOptions& chosen)
      : model(std::move(given)),
        options(chosen),
        solver(model.data()),
        prior(face3d::stranger(model.data())) {
    const FaceModel::Data& head = model.data();
    prior.expression_precision.setConstant(kRestPrecision);
    prior.symmetry_precision = kSymmetry;
    prior.sparsity = kSparsity;
    rest_precision = prior.expression_precision;
    speed = Eigen::VectorXf::Constant(head.shapes, kSpeed);
    for (int k = 0; k < head.shapes; ++k) {
      const std::string& name = head.names[static_cast<std::size_t>(k)];
      if (name.starts_with("eye")) speed[k] = kLidSpeed;
    }
    rest = Eigen::VectorXf::Zero(head.shapes);
  }

  // Where the motion so far leads.
  PosePrior expected_pose(float elapsed_s) const {
    const float time = std::max(elapsed_s, kShortest_s), square = time * time;
    const auto precision = [&](float noise) {
      const float sigma = noise * square / static_cast<float>(options.smooth);
      return 1 / (sigma * sigma);
    };
    constexpr float kDegree = 0.0174533f;
    const float side = precision(kSideNoise_mm);
    PosePrior pose;
    pose.rotation = face3d::rotation_of(time * turning) * state->rotation;
    pose.translation = state->translation + time * moving;
    pose.rotation_precision.setConstant(precision(kTurnNoise_deg * kDegree));
    pose.translation_precision << side, side, precision(kDepthNoise_mm);
    return pose;
  }

  void learn_motion(const State& next, double elapsed_s) {
    if (!state || !warm) {
      turning.setZero();
      moving.setZero();
      return;
    }
    const float time = std::max(static_cast<float>(elapsed_s), kShortest_s);
    const Eigen::AngleAxisf turn(Eigen::Matrix3f(next.rotation * state->rotation.transpose()));
    turning += kMotionGain * (turn.angle() * turn.axis() / time - turning);
    moving += kMotionGain * ((next.translation - state->translation) / time - moving);
  }

  Prior prior_of_frame(double elapsed_s) const {
    Prior now = prior;
    if (!state || !(options.smooth > 0)) return now;
    if (elapsed_s <= kForget_s) now.pose = expected_pose(static_cast<float>(elapsed_s));
    const FaceModel::Data& head = model.data();
    const float root = std::sqrt(static_cast<float>(std::max(elapsed_s, 1e-3)));
    for (int k = 0; k < head.shapes; ++k) {
      const float sigma = speed[k] * root / static_cast<float>(options.smooth);
      const float precision = 1 / (sigma * sigma);
      const float total = rest_precision[k] + precision;
      now.expression_mean[k] = precision * state->coefficients[k] / total;
      now.expression_precision[k] = total;
    }
    return now;
  }

  // Fits the frame into `next`, leaving everything else alone.
  void fit(const Observation& seen, double elapsed_s, bool learn, State& next, Prior& frame) {
    frame = prior_of_frame(elapsed_s);
    warm = state && elapsed_s <= kForget_s;
    if (warm) {
      next = *state;
      next.coefficients.tail(model.data().modes) = prior.identity_mean;
      const double cost = solver.round(seen, frame, next, false, true);
      warm = cost < kBadCost * seen.count && next.translation.z() > 0 && next.coefficients.allFinite();
    }
    if (!warm) {
      std::optional<State> begun = solver.start(seen);
      if (!begun)
        throw Error(ErrorCode::invalid_argument,
                    "face in 3-D: the landmarks determine no pose before the camera");
      next = *begun;
      next.coefficients.tail(model.data().modes) = prior.identity_mean;
      frame = prior;
      for (int k = 0; k < 3; ++k) solver.round(seen, frame, next, learn, false);
    }
    if (learn) next.coefficients.tail(model.data().modes) = prior.identity_mean;
    solver.round(seen, frame, next, learn, true);
    if (!next.translation.allFinite() || !next.coefficients.allFinite() || !(next.translation.z() > 0))
      throw Error(ErrorCode::invalid_argument,
                  "face in 3-D: the landmarks determine no pose before the camera");
  }

  // What the last round told of identity, as part of what is known of the person.
  void learn_identity(const State& next) {
    const int modes = model.data().modes;
    const Eigen::MatrixXf told = solver.identity_information() - prior.identity_precision;
    const Eigen::VectorXf step = next.coefficients.tail(modes) - prior.identity_mean;
    const Eigen::VectorXf pull = (told + prior.identity_precision) * step;
    prior.identity_precision += kNewInformation * told;
    prior.identity_mean += prior.identity_precision.llt().solve(kNewInformation * pull);
  }

  void learn_rest(const State& next) {
    for (int k = 0; k < rest.size(); ++k) {
      const float value = next.coefficients[k];
      rest[k] += kRestStep * (value < rest[k] ? -(1 - kRestShare) : kRestShare);
      rest[k] = std::clamp(rest[k], 0.0f, kMostRest);
    }
  }

  void learn_open_eyes(const face3d::Openings& now, const std::array<float, 2>& usual) {
    const float seen[2] = {now.eye_left, now.eye_right};
    for (std::size_t i = 0; i < 2; ++i) {
      if (frames == 0) open[i] = std::max(usual[i], 0.7f * seen[i]);
      const float most = std::min(seen[i], 1.6f * usual[i]);
      open[i] += (most > open[i] ? kOpenRise : kOpenFall) * (most - open[i]);
      open[i] = std::max(open[i], 0.4f * usual[i]);
    }
  }

  FaceModel model;
  FaceModelTrackOptions options;
  Solver solver;
  Prior prior;  // of the person
  Eigen::VectorXf rest_precision, speed, rest;
  std::optional<State> state;
  bool warm = false;  // the last fit went on from the frame before
  // Of the head, per second: about the camera's axes in radians, mm.
  Eigen::Vector3f turning = Eigen::Vector3f::Zero(), moving = Eigen::Vector3f::Zero();
  double time_s = 0;
  std::int64_t frames = 0;
  std::map<int, int> learnt;  // frames by bin of yaw
  std::array<float, 2> open = {};
  face3d::BlinkFinder blinks;
  face3d::SwingFinder nods{FaceEventKind::nod}, shakes{FaceEventKind::shake};
  std::vector<FaceEvent> events;
};

FaceModelTrack::FaceModelTrack(FaceModel model, const FaceModelTrackOptions& options) {
  if (!std::isfinite(options.smooth) || options.smooth < 0 || options.smooth > 100)
    throw Error(ErrorCode::invalid_argument,
                base::concat("face in 3-D: smooth is ", options.smooth, ", expected 0 to 100"));
  impl_ = std::make_unique<Impl>(std::move(model), options);
}
FaceModelTrack::FaceModelTrack(FaceModelTrack&&) noexcept = default;
FaceModelTrack& FaceModelTrack::operator=(FaceModelTrack&&) noexcept = default;
FaceModelTrack::~FaceModelTrack() = default;

Face3d FaceModelTrack::next(std::span<const Point> landmarks, std::span<const float> uncertainty,
                            const Camera& camera, double time_s) {
  Impl& me = *impl_;
  const double elapsed = me.frames ? time_s - me.time_s : 0;
  if (!std::isfinite(time_s) || elapsed < 0)
    throw Error(ErrorCode::invalid_argument,
                base::concat("face in 3-D: time ", time_s, " s after ", me.time_s, " s"));
  const FaceModel::Data& head = me.model.data();
  const Observation seen = face3d::observe(landmarks, uncertainty, camera);
  const double yaw = me.state ? std::atan2(-me.state->rotation(0, 2), me.state->rotation(2, 2)) : 0;
  const int bin = static_cast<int>(std::lround(yaw * 57.2958 / kYawBin_deg));
  const bool learn = me.learnt[bin] < kLearnFrames;
  State next;
  Prior frame;
  me.fit(seen, elapsed, learn, next, frame);
  Face3d face = face3d::describe(head, me.solver, seen, next, camera);

  if (learn) {
    ++me.learnt[bin];
    me.learn_identity(next);
  }
  const auto& points = me.solver.place_points(next);
  const face3d::Openings now = face3d::openings(seen, next, points);
  me.learn_open_eyes(now, face3d::open_eyes(head, next));
  me.learn_rest(next);
  std::vector<float> above_rest(face.expression.size());
  for (int k = 0; k < head.shapes; ++k) {
    const float rest = me.rest[k];
    above_rest[static_cast<std::size_t>(k)] = std::max(0.0f, (next.coefficients[k] - rest) / (1 - rest));
  }
  face.blendshapes = face3d::blendshapes_of(head, above_rest);
  face.signals = face3d::signals_of(now, face.blendshapes, me.open[0], me.open[1]);
  me.blinks.add(time_s, 0.5f * (now.eye_left / me.open[0] + now.eye_right / me.open[1]), me.events);
  face.signals.blink = me.blinks.closed();
  std::vector<FaceEvent> nods, shakes;
  me.nods.add(time_s, face.pose.pitch_deg, nods);
  me.shakes.add(time_s, face.pose.yaw_deg, shakes);
  if (me.nods.strength() >= me.shakes.strength()) me.events.insert(me.events.end(), nods.begin(), nods.end());
  if (me.shakes.strength() > me.nods.strength())
    me.events.insert(me.events.end(), shakes.begin(), shakes.end());
  me.learn_motion(next, elapsed);
  me.state = std::move(next);
  me.time_s = time_s;
  ++me.frames;
  return face;
}

std::vector<FaceEvent> FaceModelTrack::take_events() { return std::exchange(impl_->events, {}); }

}  // namespace spiga
