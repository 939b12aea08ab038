// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "eval/head_pose_scores.h"

// What the error depends on: figures of groups of faces.
namespace spiga::eval {

struct FaceResult;

// How many landmarks lie as near to the truth as their uncertainty says. The told uncertainty is the expected
// radial error; of an isotropic Gaussian with standard deviation sigma along each axis that is
// sigma sqrt(pi / 2), which gives sigma. A radial error is then within sigma with probability
// 1 - exp(-1/2), within 2 sigma with 1 - exp(-2).
struct Coverage {
  std::size_t landmarks = 0;
  double within_one_sigma = 0;  // shares from 0 to 1; NaN where there is no landmark
  double within_two_sigmas = 0;
  double mean_uncertainty = 0;  // per cent of the norm, as is the mean error
  double mean_error = 0;
};

inline constexpr double kNominalOneSigma = 0.39346934028736658;
inline constexpr double kNominalTwoSigmas = 0.86466471676338730;

// Of the landmarks of these faces that were not missed and carry an uncertainty.
Coverage coverage_of(std::span<const FaceResult> faces, std::span<const std::size_t> members);

// Told angles against true ones; NaN where no face has both.
struct AngleErrors {
  double mean_absolute = 0;  // degrees
  // Mean of (told - true) times the sign of the true angle: negative where angles are told too near to zero.
  double bias = 0;
};

// Faces whose value lies in [low, high).
struct FaceGroup {
  double low = 0;
  double high = 0;                   // infinite in the last group
  std::vector<std::size_t> members;  // faces that were not missed
  std::size_t missed = 0;
  double point_error = 0;  // mean over the members, per cent of the box; NaN where there are none
  double nme = 0;          // the published figure of the same faces
  std::size_t poses = 0;   // members with a true and a told pose
  std::array<AngleErrors, 3> angles = {};  // yaw, pitch, roll
  Coverage coverage;
};

struct Breakdown {
  std::string by;    // "yaw", "roll" (absolute values of the true angles), "size"
  std::string unit;  // "degrees", "pixels"
  std::vector<FaceGroup> groups;
  std::size_t left_out = 0;  // faces without a true pose
};

// By yaw, by roll and by size (the side of the square of the same area as the tight box).
std::vector<Breakdown> break_down(std::span<const FaceResult> faces);

// "30-45", "75-" for the last group.
std::string range_text(const FaceGroup& group);

// told - truth, brought into [-180, 180].
double angle_difference(double told_deg, double truth_deg);

}  // namespace spiga::eval
