// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/head_pose_scores.h"

#include <cmath>

#include "eval/cumulative.h"
#include "eval/statistics.h"
#include "geometry/affine.h"
#include "geometry/head_pose.h"

namespace spiga::eval {
namespace {

// The first of the nearest labels.
int nearest_label(double angle_deg) {
  int nearest = 0;
  for (int i = 1; i < kPoseLabels; ++i) {
    if (geometry::angle_error_deg(angle_deg, pose_label(i)) <
        geometry::angle_error_deg(angle_deg, pose_label(nearest)))
      nearest = i;
  }
  return nearest;
}

AngleScores score_angle(std::span<const Angles> truth, std::span<const Angles> predictions,
                        std::size_t axis) {
  AngleScores scores;
  std::vector<double> errors;
  int right = 0;
  int adjacent = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    errors.push_back(geometry::angle_error_deg(truth[i][axis], predictions[i][axis]));
    const int annotated = nearest_label(truth[i][axis]);
    const int predicted = nearest_label(predictions[i][axis]);
    ++scores.confusion[static_cast<std::size_t>(annotated)][static_cast<std::size_t>(predicted)];
    right += annotated == predicted ? 1 : 0;
    adjacent += std::abs(annotated - predicted) <= 1 ? 1 : 0;
  }
  scores.mean_absolute_error = mean(errors);
  scores.label_accuracy = right / static_cast<double>(errors.size());
  scores.adjacent_accuracy = adjacent / static_cast<double>(errors.size());
  for (std::size_t i = 0; i < kPoseLimits.size(); ++i) {
    scores.success[i] = published_success_rate(errors, kPoseLimits[i]);
    scores.success_exact[i] = exact_success_rate(errors, kPoseLimits[i]);
  }
  return scores;
}

}  // namespace

HeadPoseScores score_head_pose(std::span<const Angles> truth, std::span<const Angles> predictions) {
  HeadPoseScores scores;
  scores.faces = truth.size();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    scores.angles[axis] = score_angle(truth, predictions, axis);
    scores.mean_absolute_error += scores.angles[axis].mean_absolute_error / 3;
  }
  return scores;
}

std::optional<Angles> angles_from_landmarks(const scheme::Database& database,
                                            const annotations::AnnotatedFace& face) {
  const std::optional<annotations::Rect> box = annotations::box_of(face);
  if (!box || box->width <= 0 || box->height <= 0) return std::nullopt;
  const geometry::Affine crop_from_picture =
      geometry::crop_from_image({static_cast<float>(box->x), static_cast<float>(box->y),
                                 static_cast<float>(box->width), static_cast<float>(box->height)},
                                1);
  std::vector<geometry::Vector3> world;
  std::vector<Point> image;
  for (std::size_t i = 0; i < face.ids.size(); ++i) {
    if (!geometry::is_posit_landmark(face.ids[i])) continue;
    world.push_back(database.world_points[static_cast<std::size_t>(database.index_of(face.ids[i]))]);
    const annotations::Coordinate& place = face.landmarks[i];
    image.push_back(crop_from_picture({static_cast<float>(place.x), static_cast<float>(place.y)}));
  }
  const std::optional<geometry::RigidPose> pose = geometry::posit(world, image);
  if (!pose) return std::nullopt;
  return geometry::angles_from_rotation(pose->rotation);
}

}  // namespace spiga::eval
