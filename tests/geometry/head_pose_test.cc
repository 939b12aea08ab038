// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "geometry/head_pose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "geometry/affine.h"
#include "scheme/scheme.h"

namespace spiga::geometry {
namespace {

Matrix3 product(const Matrix3& a, const Matrix3& b) {
  Matrix3 result{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) result[i][j] += a[i][k] * b[k][j];
  return result;
}

double largest_difference(const Matrix3& a, const Matrix3& b) {
  double largest = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) largest = std::max(largest, std::abs(a[i][j] - b[i][j]));
  return largest;
}

TEST(HeadPose, RotationIsTheProductOfTheThreeTurnsOfTheSpecification) {
  const double a = -(30.0 - 90) * M_PI / 180, b = 10 * M_PI / 180, c = -(5.0 + 90) * M_PI / 180;
  const Matrix3 yaw = {{{std::cos(a), 0, std::sin(a)}, {0, 1, 0}, {-std::sin(a), 0, std::cos(a)}}};
  const Matrix3 pitch = {{{std::cos(b), -std::sin(b), 0}, {std::sin(b), std::cos(b), 0}, {0, 0, 1}}};
  const Matrix3 roll = {{{1, 0, 0}, {0, std::cos(c), -std::sin(c)}, {0, std::sin(c), std::cos(c)}}};
  EXPECT_LT(largest_difference(rotation_from_angles(30, -10, 5), product(product(yaw, pitch), roll)), 1e-12);
}

TEST(HeadPose, AnglesSurviveTheWayThroughTheMatrix) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> full(-180, 180), half(-89.9, 89.9);
  for (int i = 0; i < 2000; ++i) {
    const Vector3 angles = {full(random), half(random), full(random)};
    const Vector3 found = angles_from_rotation(rotation_from_angles(angles[0], angles[1], angles[2]));
    for (int k = 0; k < 3; ++k)
      EXPECT_NEAR(std::remainder(found[k] - angles[k], 360), 0, 1e-6) << "angle " << k << " of " << i;
  }
}

TEST(HeadPose, AtThePoleTheMatrixSurvives) {
  for (const double pitch : {90.0, -90.0})
    for (const double yaw : {-170.0, 0.0, 35.0}) {
      const Matrix3 rotation = rotation_from_angles(yaw, pitch, 20);
      const Vector3 angles = angles_from_rotation(rotation);
      EXPECT_NEAR(angles[1], pitch, 1e-4);
      EXPECT_NEAR(angles[2], -90, 1e-9) << "roll' is 0 by convention";
      EXPECT_LT(largest_difference(rotation_from_angles(angles[0], angles[1], angles[2]), rotation), 1e-6);
    }
}

TEST(HeadPose, PublicFormKeepsEverything) {
  const HeadPose pose{12, -7, 4, {-0.1F, 0.05F, 2.8F}};
  const HeadPose found = head_pose_from_rigid(rigid_from_head_pose(pose));
  EXPECT_NEAR(found.yaw_deg, 12, 1e-4);
  EXPECT_NEAR(found.pitch_deg, -7, 1e-4);
  EXPECT_NEAR(found.roll_deg, 4, 1e-4);
  EXPECT_EQ(found.translation, pose.translation);
}

TEST(HeadPose, ProjectionIsThatOfThePinholeCamera) {
  RigidPose pose;
  pose.translation = {0.1, -0.2, 2};
  const Point seen = project({0.3, 0.4, 0.5}, pose, {96, 32, 32});
  EXPECT_NEAR(seen.x, 96 * 0.4 / 2.5 + 32, 1e-5);
  EXPECT_NEAR(seen.y, 96 * 0.2 / 2.5 + 32, 1e-5);
}

// Landmarks with ids 1 to 24 of the mean face.
std::vector<Vector3> posit_points() {
  const scheme::Database& database = scheme::find_database("300wpublic");
  std::vector<Vector3> points;
  for (std::size_t i = 0; i < database.ids.size(); ++i)
    if (is_posit_landmark(database.ids[i])) points.push_back(database.world_points[i]);
  return points;
}

// Mean distance of landmarks, as the pose and as the other one shows them in the other crop, crop units.
double mean_distance(const HeadPose& pose, const HeadPose& other, const Affine& other_from_crop) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  const bool mirrored = other_from_crop.xx * other_from_crop.yy < other_from_crop.xy * other_from_crop.yx;
  double sum = 0;
  for (std::size_t i = 0; i < database.world_points.size(); ++i) {
    const auto twin = mirrored ? static_cast<std::size_t>(database.flip_order[i]) : i;
    const Point expected = other_from_crop(project(database.world_points[twin], rigid_from_head_pose(pose)));
    const Point found = project(database.world_points[i], rigid_from_head_pose(other));
    sum += std::hypot(found.x - expected.x, found.y - expected.y);
  }
  return sum / static_cast<double>(database.world_points.size());
}

TEST(PoseInOtherCrop, LooksTheSame) {
  const HeadPose pose = {35, -8, 12, {0.02F, -0.03F, 2.8F}};
  const Affine mirror = {.xx = -1, .tx = 1};
  // Turns about the principal point and mirrors keep the perspective.
  EXPECT_LT(mean_distance(pose, pose_in_other_crop(pose, {}), {}), 1e-5);
  for (const double turn : {-170.0, -40.0, 25.0, 90.0}) {
    const Affine map = rotation_about({0.5F, 0.5F}, turn);
    EXPECT_LT(mean_distance(pose, pose_in_other_crop(pose, map), map), 1e-5) << turn;
    const Affine both = compose(map, mirror);
    // The mean face's sides differ by a little.
    EXPECT_LT(mean_distance(pose, pose_in_other_crop(pose, both), both), 0.015) << turn;
  }
  // Shifts and scales change it a little.
  const Affine map = {.xx = 1.2, .tx = -0.06, .yy = 1.2, .ty = -0.15};
  const HeadPose other = pose_in_other_crop(pose, map);
  EXPECT_LT(mean_distance(pose, other, map), 0.012);
  EXPECT_NEAR(other.translation[2], 2.8 / 1.2, 1e-5);
  EXPECT_NEAR(other.yaw_deg, 35, 8);
}

TEST(Posit, FindsThePoseThatProjectedThePoints) {
  const std::vector<Vector3> world = posit_points();
  ASSERT_EQ(world.size(), 18U);
  std::mt19937 random(2);
  std::uniform_real_distribution<double> yaw(-60, 60), pitch(-30, 30), roll(-60, 60), aside(-0.2, 0.2),
      depth(2.2, 4);
  for (int i = 0; i < 200; ++i) {
    const Vector3 angles = {yaw(random), pitch(random), roll(random)};
    const RigidPose truth{rotation_from_angles(angles[0], angles[1], angles[2]),
                          {aside(random), aside(random), depth(random)}};
    std::vector<Point> image;
    for (const Vector3& point : world) image.push_back(project(point, truth));
    const auto found = posit(world, image);
    ASSERT_TRUE(found.has_value()) << i;
    const Vector3 again = angles_from_rotation(found->rotation);
    // The published rule stops once the points move by less than a tenth of a map cell.
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(again[k], angles[k], 1.0) << "angle " << k << " of " << i;
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(found->translation[k], truth.translation[k], 0.03);
  }
}

TEST(Posit, GivesARotation) {
  const std::vector<Vector3> world = posit_points();
  std::vector<Point> image;
  std::mt19937 random(3);
  std::normal_distribution<float> noise(0, 0.02F);
  const RigidPose truth{rotation_from_angles(20, 10, -15), {0.05, 0, 2.7}};
  for (const Vector3& point : world) {
    const Point p = project(point, truth);
    image.push_back({p.x + noise(random), p.y + noise(random)});
  }
  const auto found = posit(world, image);
  ASSERT_TRUE(found.has_value());
  Matrix3 transposed;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) transposed[i][j] = found->rotation[j][i];
  EXPECT_LT(largest_difference(product(found->rotation, transposed), {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}),
            1e-9);
}

TEST(Posit, NoneWithoutEnoughPoints) {
  const std::vector<Vector3> world = posit_points();
  std::vector<Point> image;
  const RigidPose truth{rotation_from_angles(0, 0, 0), {0, 0, 2.7}};
  for (const Vector3& point : world) image.push_back(project(point, truth));
  EXPECT_FALSE(posit(std::span(world).first(3), std::span(image).first(3)).has_value());
  EXPECT_FALSE(posit({}, {}).has_value());
  // Points of one plane leave a mirror image open.
  const std::vector<Vector3> flat = {{0, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 1, 1}, {0, 2, 1}};
  EXPECT_FALSE(posit(flat, std::span(image).first(5)).has_value());
  // All points at one place.
  EXPECT_FALSE(posit(world, std::vector<Point>(world.size(), {0.5F, 0.5F})).has_value());
}

// ---------------------------------------------------------------- against the published annotations

struct Differences {
  std::vector<double> by_angle[3];
  std::size_t faces = 0;
};

// The published loader rounds landmarks to whole pixels of the 256 x 256 crop before POSIT.
enum class Landmarks { as_annotated, rounded };

Differences differences_to_annotations(const std::string& name, Landmarks form) {
  const scheme::Database& database = scheme::find_database(name);
  const auto path = std::filesystem::path("../shared/reference/published") / name / "test.json";
  Differences result;
  for (const auto& face :
       annotations::read(path, {.database_ids = database.ids, .on_bad_record = {}}).faces) {
    if (!face.headpose) continue;
    ++result.faces;
    const annotations::Rect rect = annotations::box_of(face).value();
    const Affine crop = crop_from_image({static_cast<float>(rect.x), static_cast<float>(rect.y),
                                         static_cast<float>(rect.width), static_cast<float>(rect.height)},
                                        256);
    std::vector<Vector3> world;
    std::vector<Point> image;
    for (std::size_t i = 0; i < face.ids.size(); ++i) {
      if (!is_posit_landmark(face.ids[i])) continue;
      world.push_back(database.world_points[static_cast<std::size_t>(database.index_of(face.ids[i]))]);
      Point p = crop({static_cast<float>(face.landmarks[i].x), static_cast<float>(face.landmarks[i].y)});
      if (form == Landmarks::rounded) p = {std::round(p.x), std::round(p.y)};
      image.push_back({p.x / 256, p.y / 256});
    }
    const auto found = posit(world, image);
    if (!found) continue;
    const Vector3 angles = angles_from_rotation(found->rotation);
    for (std::size_t k = 0; k < 3; ++k)
      result.by_angle[k].push_back(std::abs(std::remainder(angles[k] - face.headpose->angles_deg[k], 360)));
  }
  return result;
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

class PublishedPoses : public testing::TestWithParam<const char*> {};

TEST_P(PublishedPoses, PositGivesTheAnnotatedAngles) {
  if (!std::filesystem::exists("../shared/reference/published"))
    GTEST_SKIP() << "the published annotations (../shared/reference) are not here";
  for (const Landmarks form : {Landmarks::as_annotated, Landmarks::rounded}) {
    const Differences found = differences_to_annotations(GetParam(), form);
    ASSERT_GT(found.faces, 100U);
    EXPECT_EQ(found.by_angle[0].size(), found.faces) << "faces without a pose";
    const bool rounded = form == Landmarks::rounded;
    for (std::size_t k = 0; k < 3; ++k) {
      const double median = quantile(found.by_angle[k], 0.5), most = quantile(found.by_angle[k], 0.99);
      const std::string name =
          std::vector<std::string>{"yaw", "pitch", "roll"}[k] + (rounded ? "_rounded" : "");
      RecordProperty(name + "_median", std::to_string(median));
      RecordProperty(name + "_p99", std::to_string(most));
      EXPECT_LT(median, rounded ? 0.06 : 0.25) << name;
      EXPECT_LT(most, rounded ? 0.25 : 1) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Databases, PublishedPoses, testing::Values("300wpublic", "300wprivate", "cofw68"));

}  // namespace
}  // namespace spiga::geometry
