// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "views/turned_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "annotations/annotations.h"
#include "geometry/boxes.h"
#include "geometry/head_pose.h"
#include "media/picture_reader.h"
#include "scheme/scheme.h"

namespace spiga::views {
namespace {

// The sample picture's face, marked by hand.
MarkedFace sample_face() {
  const scheme::Database& database = scheme::find_database("300wpublic");
  const annotations::FaceList list =
      annotations::read("samples/astronaut.json", {.database_ids = database.ids});
  MarkedFace face;
  for (const auto& [x, y] : list.faces.at(0).landmarks)
    face.landmarks.push_back({static_cast<float>(x), static_cast<float>(y)});
  face.visible.assign(face.landmarks.size(), 1);
  face.box = geometry::tight_box(face.landmarks);
  return face;
}

class TurnedViewTest : public ::testing::Test {
 protected:
  TurnedViewTest()
      : head_(FaceModel::load()),
        picture_(media::read_picture("samples/astronaut.jpg")),
        face_(sample_face()) {}

  std::optional<TurnedView> turned(const Turn& turn) {
    return turn_view(head_, face_, picture_.view(), picture_.view(), turn, limits_, why_);
  }

  FaceModel head_;
  Image picture_;
  MarkedFace face_;
  ViewLimits limits_;
  std::string why_;
};

double mean_difference(const Image& a, const Image& b, const Box& box) {
  double sum = 0;
  int count = 0;
  for (int y = static_cast<int>(box.y); y < static_cast<int>(box.y + box.height); ++y)
    for (int x = static_cast<int>(box.x); x < static_cast<int>(box.x + box.width); ++x)
      for (int c = 0; c < 3; ++c, ++count) {
        const std::ptrdiff_t at = 3 * (std::ptrdiff_t{y} * a.width() + x) + c;
        sum += std::abs(int{a.data()[at]} - int{b.data()[at]});
      }
  return sum / count;
}

TEST_F(TurnedViewTest, NoTurnShowsThePictureItself) {
  const auto view = turned({0, 0});
  ASSERT_TRUE(view) << why_;
  EXPECT_EQ(view->picture.width(), limits_.side);
  const double scale = limits_.side / (limits_.margin * std::max(face_.box.width, face_.box.height));
  const Box& box = view->face.box;
  EXPECT_NEAR(box.width, scale * face_.box.width, 0.03 * box.width);
  EXPECT_NEAR(box.x + box.width / 2, (limits_.side - 1) / 2.0, 0.03 * box.width);
  for (std::size_t i = 17; i < 68; ++i) {
    const double x =
        (limits_.side - 1) / 2.0 + scale * (face_.landmarks[i].x - face_.box.x - face_.box.width / 2);
    EXPECT_NEAR(view->face.landmarks[i].x, x, 0.01 * box.width) << i;
    EXPECT_EQ(view->face.visible[i], 1) << i;
  }
  // A view a hair beside it has nearly the same pixels.
  const auto beside = turned({0.2, 0});
  ASSERT_TRUE(beside) << why_;
  EXPECT_LT(mean_difference(view->picture, beside->picture, box), 3);
}

TEST_F(TurnedViewTest, TellsTheAnglesThatItTurnedBy) {
  const auto straight = turned({0, 0});
  ASSERT_TRUE(straight && straight->face.headpose) << why_;
  for (const Turn& turn : {Turn{30, 0}, Turn{-30, 0}, Turn{55, 10}, Turn{-60, -10}, Turn{0, 15}}) {
    const auto view = turned(turn);
    ASSERT_TRUE(view && view->face.headpose) << turn.yaw_deg << ": " << why_;
    // The crop's axis goes through the turned box's middle: a few degrees.
    EXPECT_NEAR(view->face.headpose->yaw_deg, straight->face.headpose->yaw_deg + turn.yaw_deg, 6);
    EXPECT_NEAR(view->face.headpose->pitch_deg, straight->face.headpose->pitch_deg + turn.pitch_deg, 8);
    EXPECT_NEAR(view->face.headpose->roll_deg, straight->face.headpose->roll_deg, 8);
    // The head fitted to the new landmarks agrees.
    if (std::ranges::all_of(view->face.visible, [](float v) { return v > 0; })) {
      const auto again = angles_of(head_, view->face, view->picture.view(), limits_);
      ASSERT_TRUE(again);
      EXPECT_NEAR((*again)[0], view->face.headpose->yaw_deg, 6) << turn.yaw_deg;
    }
  }
}

TEST_F(TurnedViewTest, HidesTheFarSide) {
  for (const double yaw : {-65.0, 65.0}) {
    const auto view = turned({yaw, 0});
    ASSERT_TRUE(view) << why_;
    double hidden[2] = {};
    const std::size_t sides[2][9] = {{36, 37, 39, 41, 17, 18, 48, 0, 2},
                                     {45, 44, 42, 46, 26, 25, 54, 16, 14}};
    for (int side = 0; side < 2; ++side)
      for (const std::size_t i : sides[side]) hidden[side] += view->face.visible[i] <= 0;
    const int far = hidden[0] > hidden[1] ? 0 : 1;
    EXPECT_GE(hidden[far], 6) << yaw;
    EXPECT_LE(hidden[1 - far], 1) << yaw;
    // The nose points to the far side.
    const Point &nose = view->face.landmarks[30], &bridge = view->face.landmarks[27];
    EXPECT_EQ(nose.x < bridge.x, far == 0) << yaw;
  }
}

TEST_F(TurnedViewTest, SaysWhyThereIsNone) {
  face_.visible[5] = 0;
  EXPECT_FALSE(turned({30, 0}));
  EXPECT_EQ(why_, "landmarks missing");
  face_.visible[5] = 1;
  for (std::size_t i = 0; i < 68; i += 2) face_.landmarks[i].x += 0.3F * face_.box.width;
  EXPECT_FALSE(turned({30, 0}));
  EXPECT_EQ(why_, "the head does not fit");
  face_.landmarks.resize(5);
  EXPECT_FALSE(turned({30, 0}));
  EXPECT_EQ(why_, "not 68 landmarks");
}

}  // namespace
}  // namespace spiga::views
