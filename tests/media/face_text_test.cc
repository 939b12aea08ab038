// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/face_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace spiga::media {
namespace {

Face some_face() {
  return {{1.5f, -2, 30.256f, 40},     0.75f,      0.9746f,
          {{1, 2}, {-3.004f, 4.126f}}, {0.5f, 12}, {-12.345f, 6, 0.001f, {0.1f, -0.2f, 3}}};
}

TEST(FaceText, json_line_is_what_the_manual_shows) {
  std::string line;
  append_json_line(line, {"a.jpg", 640, 480, {some_face()}});
  EXPECT_EQ(
      line,
      R"({"source":"a.jpg","width":640,"height":480,"faces":[{"confidence":0.9746,"box":[1.50,-2.00,30.26,40.00],"score":0.7500,)"
      R"("landmarks":[[1.00,2.00],[-3.00,4.13]],"uncertainty":[0.50,12.00],"headpose":{"yaw_deg":-12.35,)"
      R"("pitch_deg":6.00,"roll_deg":0.00,"translation":[0.1000,-0.2000,3.0000]},"spread":[0.50,12.00]}]})"
      "\n");
}

TEST(FaceText, json_is_valid_whatever_the_name_and_numbers) {
  Face face = some_face();
  face.score = std::numeric_limits<float>::quiet_NaN();
  face.landmarks[0].x = std::numeric_limits<float>::infinity();
  face.landmarks[1].y = -1e30f;
  std::string line;
  append_json_line(line, {"a\"\\\n\xFF.jpg", 1, 1, {face, face}});
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["source"], "a\"\\\n\xEF\xBF\xBD.jpg");
  EXPECT_TRUE(parsed["faces"][1]["score"].is_null());
  EXPECT_TRUE(parsed["faces"][0]["landmarks"][0][0].is_null());
  EXPECT_NEAR(parsed["faces"][0]["landmarks"][1][1].get<double>(), -1e30, 1e24);
}

TEST(FaceText, picture_without_faces_has_an_empty_list_and_no_row) {
  std::string line, rows;
  append_json_line(line, {"a.jpg", 2, 3, {}});
  append_csv_rows(rows, {"a.jpg", 2, 3, {}});
  EXPECT_EQ(line, "{\"source\":\"a.jpg\",\"width\":2,\"height\":3,\"faces\":[]}\n");
  EXPECT_EQ(rows, "");
}

TEST(FaceText, csv_has_as_many_fields_as_names) {
  std::string header, rows;
  append_csv_header(header, 2);
  append_csv_rows(rows, {"a.jpg", 2, 3, {some_face()}});
  EXPECT_EQ(header,
            "source,face,confidence,score,box_x,box_y,box_w,box_h,pose_yaw_deg,pose_pitch_deg,pose_roll_deg,"
            "pose_tx,pose_ty,pose_tz,x_0,x_1,y_0,y_1,uncertainty_0,uncertainty_1,spread_0,spread_1\n");
  EXPECT_EQ(rows,
            "a.jpg,0,0.9746,0.7500,1.50,-2.00,30.26,40.00,-12.35,6.00,0.00,0.1000,-0.2000,3.0000,"
            "1.00,-3.00,2.00,4.13,0.50,12.00,0.50,12.00\n");
  EXPECT_EQ(std::ranges::count(header, ','), std::ranges::count(rows, ','));
}

TEST(FaceText, confidence_that_nobody_knows_is_left_out) {
  PictureFaces faces{"a.jpg", 2, 3, {some_face()}};
  faces.faces[0].confidence = std::numeric_limits<float>::quiet_NaN();
  std::string line, row;
  append_json_line(line, faces);
  EXPECT_TRUE(nlohmann::json::parse(line)["faces"][0]["confidence"].is_null());
  append_csv_rows(row, faces);
  EXPECT_TRUE(row.starts_with("a.jpg,0,,0.7500,")) << row;
}

}  // namespace
}  // namespace spiga::media
