// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "face3d/fitted.h"
#include "face3d/made_faces.h"
#include "spiga/error.h"

namespace spiga {
namespace {

using face3d_test::camera;
using face3d_test::expression;
using face3d_test::model;
using face3d_test::pose_of;
using face3d_test::some_identity;
using testing::HasSubstr;

std::string refusal(std::span<const Point> landmarks, std::span<const float> uncertainty,
                    const Camera& seen_by) {
  try {
    model().fit(landmarks, uncertainty, seen_by);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "";
}

TEST(FaceModel, JacobianAgreesWithDifferences) {
  const FaceModel::Data& head = model().data();
  const Face3d face = model().make(some_identity(3), expression({{"jawOpen", 0.4f}, {"mouthSmile_L", 0.6f}}),
                                   pose_of(25, -10, 8));
  std::vector<Point> landmarks = model().landmarks(face, camera());
  const face3d::Observation seen = face3d::observe(landmarks, {}, camera());
  face3d::Solver solver(head);
  std::optional<face3d::State> state = solver.start(seen);
  ASSERT_TRUE(state);
  state->coefficients[5] = 0.2f;
  solver.linearise(seen, *state, false);
  const Eigen::MatrixXf jacobian = solver.jacobian();
  double worst = 0;
  for (int k = 0; k < jacobian.cols(); ++k) {
    const float h = k < 3 ? 2e-3f : k < 6 ? 1.0f : 0.02f;
    Eigen::VectorXf ahead(jacobian.rows()), back(jacobian.rows());
    for (const float sign : {1.0f, -1.0f}) {
      face3d::State moved = *state;
      Eigen::VectorXf step = Eigen::VectorXf::Zero(jacobian.cols());
      step[k] = sign * h;
      face3d::Solver::apply(step, moved);
      solver.linearise(seen, moved, false);
      (sign > 0 ? ahead : back) = solver.residuals();
    }
    // Inner landmarks; the outline's vertices and normals may change under a step.
    const Eigen::VectorXf numeric = ((ahead - back) / (2 * h)).tail(102), exact = jacobian.col(k).tail(102);
    worst = std::max(worst, static_cast<double>((numeric - exact).norm() / (exact.norm() + 1)));
  }
  EXPECT_LT(worst, 0.01);
}

TEST(FaceModel, RecoversMadeFaces) {
  double worst_deg = 0, sum_mm = 0;
  int faces = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const double yaw = -40 + 4.0 * seed, pitch = 15 * std::sin(seed), roll = 15 * std::cos(2.0 * seed);
    const Face3d truth =
        model().make(some_identity(seed), expression({{"jawOpen", 0.02f * static_cast<float>(seed)}}),
                     pose_of(yaw, pitch, roll));
    std::vector<Point> landmarks = model().landmarks(truth, camera());
    face3d_test::add_noise(landmarks, 0.5, seed + 100);
    const std::vector<float> uncertainty(68, 0.6f);
    const Face3d found = model().fit(landmarks, uncertainty, camera());
    worst_deg = std::max({worst_deg, std::abs(found.pose.yaw_deg - yaw),
                          std::abs(found.pose.pitch_deg - pitch), std::abs(found.pose.roll_deg - roll)});
    sum_mm += std::abs(found.pose.translation_mm[2] - 1000);
    ++faces;
    EXPECT_LT(found.reprojection_px, 1.5);
    EXPECT_EQ(found.points_mm.size(), 68u);
    EXPECT_EQ(found.landmarks, 68);
    for (const float e : found.expression) {
      EXPECT_GE(e, 0);
      EXPECT_LE(e, 1);
    }
  }
  EXPECT_LT(worst_deg, 5);
  EXPECT_LT(sum_mm / faces, 40);
}

TEST(FaceModel, TellsExpressions) {
  const auto fitted = [](const std::vector<std::pair<std::string, float>>& amounts) {
    const Face3d truth = model().make(some_identity(1), expression(amounts), pose_of(5, 3, 2));
    return model().fit(model().landmarks(truth, camera()), std::vector<float>(68, 0.3f), camera());
  };
  const Face3d rest = fitted({}), blink = fitted({{"eyeBlink_L", 1}, {"eyeBlink_R", 1}}),
               wink = fitted({{"eyeBlink_L", 1}}),
               smile = fitted({{"mouthSmile_L", 0.9f}, {"mouthSmile_R", 0.9f}}),
               open = fitted({{"jawOpen", 0.8f}});
  EXPECT_FALSE(rest.signals.blink);
  EXPECT_TRUE(blink.signals.blink);
  EXPECT_GT(face3d_test::blendshape(blink, "eyeBlinkLeft"), 0.6f);
  EXPECT_LT(face3d_test::blendshape(rest, "eyeBlinkLeft"), 0.2f);
  // The person's left eye, on the picture's right.
  EXPECT_LT(wink.signals.eye_open_left, 0.4f);
  EXPECT_GT(wink.signals.eye_open_right, 0.7f);
  EXPECT_GT(smile.signals.smile, rest.signals.smile + 0.3f);
  EXPECT_GT(open.signals.mouth_opening, rest.signals.mouth_opening + 10);
  EXPECT_GT(face3d_test::blendshape(open, "jawOpen"), 0.5f);
}

TEST(FaceModel, FollowsTheCamera) {
  // The same head, off the axis of a wide camera: its own pose stays, the distortion is taken out.
  Camera wide = camera();
  wide.fx = wide.fy = 600;
  wide.distortion = {-0.2, 0.05, 0.001, -0.001, 0};
  const Face3d truth = model().make(some_identity(7), {}, pose_of(10, 5, -5, {250, 120, 700}));
  const Face3d found = model().fit(model().landmarks(truth, wide), std::vector<float>(68, 0.3f), wide);
  EXPECT_NEAR(found.pose.yaw_deg, 10, 3);
  EXPECT_NEAR(found.pose.pitch_deg, 5, 3);
  EXPECT_NEAR(found.pose.translation_mm[0] / found.pose.translation_mm[2], 250.0 / 700, 0.01);
  EXPECT_NEAR(found.pose.translation_mm[2], 700, 50);
}

TEST(FaceModel, UncertainLandmarksCountForLess) {
  const Face3d truth = model().make({}, {}, pose_of(0, 0, 0));
  std::vector<Point> landmarks = model().landmarks(truth, camera());
  std::vector<float> uncertainty(68, 0.5f);
  for (std::size_t i = 60; i < 68; ++i) {
    landmarks[i].y += 15;
    uncertainty[i] = 40;
  }
  const Face3d found = model().fit(landmarks, uncertainty, camera());
  EXPECT_NEAR(found.pose.pitch_deg, 0, 2);
  EXPECT_LT(face3d_test::blendshape(found, "jawOpen"), 0.1f);
}

TEST(FaceModel, MissingLandmarksAreLeftOut) {
  const Face3d truth = model().make({}, {}, pose_of(20, 0, 0));
  std::vector<Point> landmarks = model().landmarks(truth, camera());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < 17; ++i) landmarks[i] = {nan, nan};
  const Face3d found = model().fit(landmarks, {}, camera());
  EXPECT_EQ(found.landmarks, 51);
  EXPECT_NEAR(found.pose.yaw_deg, 20, 3);
}

TEST(FaceModel, BadInputIsNamed) {
  const Face3d truth = model().make({}, {}, pose_of(0, 0, 0));
  const std::vector<Point> good = model().landmarks(truth, camera());
  EXPECT_THAT(refusal(std::span(good).first(60), {}, camera()), HasSubstr("expected 68 landmarks"));
  EXPECT_THAT(refusal(good, std::vector<float>(3, 1.0f), camera()), HasSubstr("expected 68 uncertainties"));
  std::vector<Point> few = good;
  for (std::size_t i = 0; i < 60; ++i) few[i].x = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal(few, {}, camera()), HasSubstr("only 8 usable landmarks"));
  EXPECT_THAT(refusal(std::vector<Point>(68, Point{3, 4}), {}, camera()), HasSubstr("face in 3-D"));
  std::vector<Point> line;
  for (int i = 0; i < 68; ++i) line.push_back({static_cast<float>(10 * i), 100});
  EXPECT_THAT(refusal(line, {}, camera()), HasSubstr("face in 3-D"));
  Camera none;
  EXPECT_THAT(refusal(good, {}, none), HasSubstr("camera: fx is 0"));
}

TEST(FaceModel, PointsBehindTheCameraAreNamed) {
  const Face3d behind = model().make({}, {}, pose_of(0, 0, 0, {0, 0, -500}));
  EXPECT_THROW(model().landmarks(behind, camera()), Error);
  EXPECT_THROW(model().mesh(behind, camera()), Error);
}

TEST(FaceModel, MeshFitsTheLandmarks) {
  const Face3d face = model().make(some_identity(2), expression({{"jawOpen", 0.5f}}), pose_of(15, 5, 0));
  const Mesh mesh = model().mesh(face, camera());
  ASSERT_EQ(mesh.vertices_mm.size(), mesh.pixels.size());
  ASSERT_FALSE(model().triangles().empty());
  // Every landmark of the contour is a vertex, and the others lie beside theirs as the mark-up places them.
  constexpr float kOffsets_mm[][2] = {
#include "face3d/mark_up_offsets.inc"
  };
  ASSERT_EQ(face.points_mm.size(), 68u);
  for (std::size_t i = 0; i < 68; ++i) {
    std::array<float, 3> p = face.points_mm[i];
    if (i >= 17)
      for (std::size_t axis = 0; axis < 3; ++axis)
        p[axis] -= static_cast<float>(face.pose.rotation[axis][0]) * kOffsets_mm[i - 17][0] +
                   static_cast<float>(face.pose.rotation[axis][1]) * kOffsets_mm[i - 17][1];
    float nearest = 1e9f;
    for (const auto& v : mesh.vertices_mm)
      nearest = std::min(nearest, std::hypot(v[0] - p[0], v[1] - p[1], v[2] - p[2]));
    EXPECT_LT(nearest, 0.01f);
  }
  // Triangles of a frontal face mostly look at the camera: their corners run counter-clockwise from outside.
  const Mesh front = model().mesh(model().make({}, {}, pose_of(0, 0, 0)), camera());
  int towards = 0;
  for (const auto& t : model().triangles()) {
    const Point a = front.pixels[t[0]], b = front.pixels[t[1]], c = front.pixels[t[2]];
    towards += (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) < 0;  // y down
  }
  EXPECT_GT(towards, 0.6 * static_cast<double>(model().triangles().size()));
}

TEST(FaceModel, OtherFilesAreRefused) {
  try {
    FaceModel::load("models/detector.safetensors");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("models/detector.safetensors"));
  }
  EXPECT_THROW(FaceModel::load("no-such-head"), Error);
}

}  // namespace
}  // namespace spiga
