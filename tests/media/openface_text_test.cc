// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/openface_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/text.h"

namespace spiga::media {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> result;
  for (const std::string_view cell : base::split(base::trim(line), ',')) result.emplace_back(cell);
  return result;
}

class OpenFaceTextTest : public ::testing::Test {
 protected:
  OpenFaceTextTest() {
    append_openface_header(header_, true);
    names_ = cells(header_);
    face_.landmarks.assign(68, {10.5f, 20.25f});
    face_.uncertainty.assign(68, 1);
    fitted_.pose = make_camera_pose({{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {300, 0, 400});
    fitted_.points_mm.assign(68, {1, 2, 3});
    fitted_.blendshapes.assign(blendshapes().size(), 0.5f);
  }

  double value(const std::string& row, const std::string& name) const {
    const auto found = std::ranges::find(names_, name);
    if (found == names_.end()) return NAN;
    return base::parse_double(cells(row).at(static_cast<std::size_t>(found - names_.begin()))).value_or(NAN);
  }

  std::string header_;
  std::vector<std::string> names_;
  Face face_;
  Face3d fitted_;
  Camera camera_ = {.fx = 500, .fy = 500, .cx = 320, .cy = 240};
};

TEST_F(OpenFaceTextTest, names_and_order_are_openfaces) {
  EXPECT_THAT(header_,
              StartsWith("frame,face_id,timestamp,confidence,success,pose_Tx,pose_Ty,pose_Tz,pose_Rx,pose_Ry,"
                         "pose_Rz,x_0,x_1,"));
  for (const char* part : {",x_67,y_0,", ",y_67,X_0,", ",X_67,Y_0,", ",Y_67,Z_0,",
                           ",Z_67,p_scale,p_rx,p_ry,p_rz,p_tx,p_ty,AU01_r,AU02_r,AU04_r,"})
    EXPECT_THAT(header_, HasSubstr(part));
  std::string picture;
  append_openface_header(picture, false);
  EXPECT_THAT(picture, StartsWith("face,confidence,pose_Tx,"));
}

TEST_F(OpenFaceTextTest, a_found_face_has_radians_millimetres_and_pixels) {
  FrameFaces frame = {
      .frame = 7, .time_s = 0.28, .width = 640, .height = 480, .faces = {{2, 0.9f, true, face_}}};
  frame.in_3d = Faces3d{camera_, {fitted_}, {{}}};
  std::string row;
  append_openface_rows(row, frame);
  EXPECT_THAT(row, StartsWith("8,2,0.2800,0.9000,1,300.00,0.00,400.00,0.0000,0.0000,0.0000,10.50,"));
  ASSERT_EQ(cells(row).size(), names_.size());
  EXPECT_DOUBLE_EQ(value(row, "y_67"), 20.25);
  EXPECT_DOUBLE_EQ(value(row, "Z_0"), 3);
  EXPECT_DOUBLE_EQ(value(row, "p_scale"), 1.25);
  EXPECT_DOUBLE_EQ(value(row, "p_tx"), 320 + 500 * 0.75);
  EXPECT_DOUBLE_EQ(value(row, "p_ty"), 240);
  // A head that looks parallel to the axis, seen atan(3 / 4) off it: turned by as much about y.
  EXPECT_NEAR(std::abs(value(row, "p_ry")), std::atan(0.75), 1e-4);
  EXPECT_NEAR(value(row, "p_rx"), 0, 1e-4);
  EXPECT_NEAR(value(row, "p_rz"), 0, 1e-4);
  EXPECT_DOUBLE_EQ(value(row, "AU12_r"), 2.5);
}

TEST_F(OpenFaceTextTest, every_frame_has_a_row_and_what_is_not_there_is_0) {
  std::string none, lost, unfitted;
  append_openface_rows(none, FrameFaces{.frame = 0});
  append_openface_rows(lost, FrameFaces{.frame = 1, .time_s = 0.04, .faces = {{3, 0.05f, false, {}}}});
  FrameFaces frame = {.frame = 2, .faces = {{3, 0.8f, true, face_}}};
  frame.in_3d = Faces3d{camera_, {std::nullopt}, {{}}};
  append_openface_rows(unfitted, frame);
  EXPECT_THAT(none, StartsWith("1,0,0.0000,0.0000,0,0,0,"));
  EXPECT_THAT(lost, StartsWith("2,3,0.0400,0.0500,0,0,0,"));
  EXPECT_THAT(unfitted, StartsWith("3,3,0.0000,0.8000,1,0,0,0,0,0,0,10.50,"));
  for (const std::string& row : {none, lost, unfitted}) EXPECT_EQ(cells(row).size(), names_.size());
}

TEST_F(OpenFaceTextTest, our_own_table_may_have_a_row_for_every_frame_too) {
  std::string names, row;
  append_video_csv_header(names, 68);
  append_video_csv_rows(row, FrameFaces{.frame = 4, .time_s = 0.16}, 68);
  EXPECT_EQ(row, "");
  append_video_csv_rows(row, FrameFaces{.frame = 4, .time_s = 0.16}, 68, true);
  EXPECT_THAT(row, StartsWith("4,,0.1600,,0,,"));
  EXPECT_EQ(cells(row).size(), cells(names).size());
  std::string picture_names, picture;
  append_csv_header(picture_names, 68, true);
  PictureFaces faces = {.source = "a,b.png", .width = 1, .height = 1, .faces = {}};
  faces.in_3d = Faces3d{};
  append_csv_rows(picture, faces, 68);
  EXPECT_THAT(picture, StartsWith("\"a,b.png\",,"));
  EXPECT_EQ(std::ranges::count(picture, ',') - 1, std::ranges::count(picture_names, ','));
}

}  // namespace
}  // namespace spiga::media
