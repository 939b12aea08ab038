// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/breakdown.h"

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <optional>

#include "base/text.h"
#include "eval/evaluation.h"
#include "eval/statistics.h"

namespace spiga::eval {
namespace {

constexpr double kEndless = std::numeric_limits<double>::infinity();

// Where the groups begin; the last has no end.
const std::vector<double> kYawBegins = {0, 15, 30, 45, 60, 75};
const std::vector<double> kRollBegins = {0, 15, 30, 45, 90, 135};
const std::vector<double> kSizeBegins = {0, 32, 64, 96, 128, 192, 256};

// The value that a face is sorted by; none where it has none.
using ValueOf = std::function<std::optional<double>(const FaceResult&)>;

std::size_t group_index(const std::vector<FaceGroup>& groups, double value) {
  std::size_t index = groups.size() - 1;
  while (index > 0 && value < groups[index].low) --index;
  return index;
}

AngleErrors angle_errors(std::span<const FaceResult> faces, const FaceGroup& group, std::size_t axis) {
  std::vector<double> absolute, outward;
  for (std::size_t member : group.members) {
    const FaceResult& face = faces[member];
    if (!face.pose || !face.predicted_pose) continue;
    const double truth = (*face.pose)[axis];
    const double difference = angle_difference((*face.predicted_pose)[axis], truth);
    absolute.push_back(std::abs(difference));
    outward.push_back(truth < 0 ? -difference : difference);
  }
  return {mean(absolute), mean(outward)};
}

void score_group(std::span<const FaceResult> faces, FaceGroup& group) {
  std::vector<double> point_errors, nmes;
  for (std::size_t member : group.members) {
    point_errors.push_back(faces[member].point_error);
    nmes.push_back(faces[member].nme);
    if (faces[member].pose && faces[member].predicted_pose) ++group.poses;
  }
  group.point_error = mean(point_errors);
  group.nme = mean(nmes);
  for (std::size_t axis = 0; axis < 3; ++axis) group.angles[axis] = angle_errors(faces, group, axis);
  group.coverage = coverage_of(faces, group.members);
}

Breakdown break_down_by(std::span<const FaceResult> faces, const std::string& name, const std::string& unit,
                        const std::vector<double>& begins, const ValueOf& value_of) {
  Breakdown result{name, unit, {}, 0};
  for (std::size_t i = 0; i < begins.size(); ++i) {
    FaceGroup& group = result.groups.emplace_back();
    group.low = begins[i];
    group.high = i + 1 < begins.size() ? begins[i + 1] : kEndless;
  }
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const std::optional<double> value = value_of(faces[i]);
    if (!value) {
      ++result.left_out;
      continue;
    }
    FaceGroup& group = result.groups[group_index(result.groups, *value)];
    if (faces[i].missed) {
      ++group.missed;
    } else {
      group.members.push_back(i);
    }
  }
  for (FaceGroup& group : result.groups) score_group(faces, group);
  return result;
}

ValueOf absolute_angle(std::size_t axis) {
  return [axis](const FaceResult& face) -> std::optional<double> {
    if (!face.pose) return std::nullopt;
    return std::abs((*face.pose)[axis]);
  };
}

}  // namespace

double angle_difference(double told_deg, double truth_deg) {
  return std::remainder(told_deg - truth_deg, 360.0);
}

Coverage coverage_of(std::span<const FaceResult> faces, std::span<const std::size_t> members) {
  const double sigma_per_uncertainty = std::sqrt(2 / std::numbers::pi);
  std::vector<double> one, two, uncertainties, errors;
  for (std::size_t member : members) {
    const FaceResult& face = faces[member];
    for (std::size_t i = 0; i < face.uncertainties.size(); ++i) {
      const double sigma = sigma_per_uncertainty * face.uncertainties[i];
      one.push_back(face.landmark_errors[i] <= sigma ? 1 : 0);
      two.push_back(face.landmark_errors[i] <= 2 * sigma ? 1 : 0);
      uncertainties.push_back(face.uncertainties[i]);
      errors.push_back(face.landmark_errors[i]);
    }
  }
  return {one.size(), mean(one), mean(two), mean(uncertainties), mean(errors)};
}

std::vector<Breakdown> break_down(std::span<const FaceResult> faces) {
  return {break_down_by(faces, "yaw", "degrees", kYawBegins, absolute_angle(0)),
          break_down_by(faces, "roll", "degrees", kRollBegins, absolute_angle(2)),
          break_down_by(faces, "size", "pixels", kSizeBegins,
                        [](const FaceResult& face) -> std::optional<double> { return face.size_px; })};
}

std::string range_text(const FaceGroup& group) {
  return std::isfinite(group.high) ? base::concat(group.low, '-', group.high) : base::concat(group.low, '-');
}

}  // namespace spiga::eval
