// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "base/file.h"
#include "support/picture_files.h"
#include "support/run_program.h"
#include "support/udp_receiver.h"

namespace spiga {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using spiga::testing::Outcome;
using spiga::testing::Receiver;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kSide = 320;  // of the portrait's part that is played

// `spiga analyze --face3d` with the default model, as people run it.
class Face3dTest : public ::testing::Test {
 protected:
  Face3dTest() {
    const cv::Mat picture = cv::imread("samples/astronaut.jpg");
    cv::imwrite(path("face.png"), picture(cv::Rect(60, 0, kSide, kSide)));
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  static Outcome analyze(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "analyze");
    return spiga::testing::run_program(SPIGA_PROGRAM, arguments, input);
  }
  static std::string frames(int count) {
    const cv::Mat picture = cv::imread("samples/astronaut.jpg");
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      const cv::Mat part = picture({60 + i, 0, kSide, kSide}).clone();
      bytes.append(reinterpret_cast<const char*>(part.data), part.total() * part.elemSize());
    }
    return bytes;
  }
  static std::vector<json> lines_of(const std::string& text) {
    std::vector<json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    return lines;
  }
  // The face found and everything else said, but no head: one line on stderr, status 1.
  void expect_no_camera(const std::vector<std::string>& options, const std::string& complaint) const {
    std::vector<std::string> arguments = {path("face.png")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = analyze(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("face.png: camera: "));
    EXPECT_THAT(outcome.err, HasSubstr(complaint));
    const json line = lines_of(outcome.out).at(0);
    EXPECT_TRUE(line["camera"].is_null());
    ASSERT_THAT(line["faces"], SizeIs(1));
    EXPECT_THAT(line["faces"][0]["landmarks"], SizeIs(68));
    EXPECT_TRUE(line["faces"][0]["face3d"].is_null());
  }

  spiga::testing::TemporaryFolder folder_;
};

TEST_F(Face3dTest, picture_has_pose_points_and_meshes) {
  const Outcome outcome = analyze({path("face.png"), "--fov", "40", "--csv", path("faces.csv"), "--mesh",
                                   path("meshes"), "--overlay", path("seen"), "--overlay-mesh"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json line = lines_of(outcome.out).at(0);
  EXPECT_NEAR(line["camera"]["fx"], 160 / std::tan(20 * 3.14159265 / 180), 0.01);
  const json& face = line["faces"][0]["face3d"];
  // The portrait's eyes are some 60 mm apart and fill some 46 of its pixels.
  EXPECT_NEAR(face["pose"]["translation_mm"][2].get<double>(), 560, 150);
  const json& points = face["points_mm"];
  ASSERT_THAT(points, SizeIs(68));
  EXPECT_NEAR(points[45][0].get<double>() - points[36][0].get<double>(), 90, 15);
  EXPECT_LT(face["reprojection_px"], 4);
  const json& q = face["pose"]["quaternion"];
  double square = 0;
  for (const json& part : q) square += part.get<double>() * part.get<double>();
  EXPECT_NEAR(square, 1, 1e-3);

  const std::string table = base::read_file(path("faces.csv"));
  EXPECT_THAT(table, HasSubstr(",cam_tz_mm,"));
  EXPECT_THAT(table, HasSubstr(",AU12_d,"));
  EXPECT_GT(fs::file_size(path("meshes/face-0.obj")), 100000U);
  EXPECT_TRUE(fs::exists(path("meshes/face-0.mtl")));
  EXPECT_TRUE(fs::exists(path("meshes/face-0.png")));
  const cv::Mat plain = cv::imread(path("face.png")), seen = cv::imread(path("seen/face.png"));
  EXPECT_GT(cv::norm(plain, seen, cv::NORM_L1) / static_cast<double>(plain.total()), 2);
}

TEST_F(Face3dTest, mesh_can_be_one_gltf_file) {
  const Outcome outcome = analyze({path("face.png"), "--mesh", path("meshes"), "--mesh-format", "glb"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(base::read_file(path("meshes/face-0.glb")).substr(0, 4), "glTF");
  EXPECT_FALSE(fs::exists(path("meshes/face-0.obj")));
}

TEST_F(Face3dTest, pose_stands_before_the_camera_that_is_given) {
  const auto pose = [&](const std::string& camera) {
    const Outcome outcome = analyze({path("face.png"), "--camera", camera});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return lines_of(outcome.out).at(0)["faces"][0]["face3d"]["pose"];
  };
  const json near = pose("400,400,160,160"), far = pose("800,800,160,160"), aside = pose("800,800,-300,160");
  EXPECT_NEAR(far["translation_mm"][2].get<double>() / near["translation_mm"][2].get<double>(), 2, 0.15);
  // The same picture to the right of the axis: a head that looks as before into the lens looks to the left.
  EXPECT_NEAR(aside["yaw_deg"].get<double>() - far["yaw_deg"].get<double>(),
              -std::atan(460.0 / 800) * 180 / 3.14159265, 6);
}

TEST_F(Face3dTest, cameras_that_do_not_suit_the_picture_are_named_and_the_rest_is_whole) {
  expect_no_camera({"--camera", "500,500,90000,160"}, "cx is 90000");
  expect_no_camera({"--camera", "500,500,160,-90000"}, "cy is -90000");
  base::write_file(
      path("other.yml"),
      "%YAML:1.0\nimage_width: 640\nimage_height: 360\ncamera_matrix: !!opencv-matrix\n"
      "   rows: 3\n   cols: 3\n   dt: d\n   data: [ 600., 0., 320., 0., 600., 180., 0., 0., 1. ]\n");
  expect_no_camera({"--camera", path("other.yml")}, "calibrated on 640 x 360 pictures");
}

TEST_F(Face3dTest, cameras_without_sense_are_refused_before_anything_is_written) {
  for (const auto& [camera, complaint] :
       std::vector<std::pair<std::string, std::string>>{{"0,500,160,160", "fx is 0"},
                                                        {"500,-500,160,160", "fy is -500"},
                                                        {"nan,500,160,160", "fx is "},
                                                        {"500,500,inf,160", "cx is "},
                                                        {"500,500,160", "expected fx,fy,cx,cy"},
                                                        {"absent.yml", "absent.yml"}}) {
    const Outcome outcome = analyze({path("face.png"), "--camera", camera, "--csv", path("faces.csv")});
    EXPECT_NE(outcome.status, 0) << camera;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(complaint));
    EXPECT_EQ(outcome.out, "");
    EXPECT_FALSE(fs::exists(path("faces.csv")));
  }
  EXPECT_EQ(analyze({path("face.png"), "--fov", "200"}).status, 2);
  EXPECT_EQ(analyze({path("face.png"), "--fov", "50", "--camera", "1,1,1,1"}).status, 2);
}

TEST_F(Face3dTest, video_has_a_head_in_every_frame) {
  const std::string raw = "raw:320x320";
  const Outcome outcome =
      analyze({raw, "--face3d", "--csv", path("faces.csv"), "--overlay", path("seen.mp4"), "--overlay-mesh"},
              frames(6));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::vector<json> lines = lines_of(outcome.out);
  ASSERT_THAT(lines, SizeIs(6));
  for (const json& line : lines) {
    EXPECT_EQ(line["camera"]["guessed"], true);
    EXPECT_TRUE(line["faces"][0]["face3d"]["events"].is_array());
  }
  EXPECT_GT(fs::file_size(path("seen.mp4")), 1000U);
}

TEST_F(Face3dTest, videos_tell_once_of_a_camera_that_does_not_suit_them) {
  const Outcome outcome = analyze({"raw:320x320", "--camera", "500,500,90000,160"}, frames(4));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("frame 0: camera: cx is 90000"));
  EXPECT_THAT(outcome.err, HasSubstr("(the first of 4)"));
  const std::vector<json> lines = lines_of(outcome.out);
  ASSERT_THAT(lines, SizeIs(4));
  for (const json& line : lines) {
    ASSERT_THAT(line["faces"], SizeIs(1));
    EXPECT_TRUE(line["faces"][0]["face3d"].is_null());
  }
}

TEST_F(Face3dTest, video_is_sent_to_other_programs) {
  const Receiver lines, avatar;
  const Outcome outcome = analyze(
      {"raw:320x320", "--send", lines.url("udp"), "--send", avatar.url("osc"), "-o", path("out.jsonl")},
      frames(3));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const std::string written = base::read_file(path("out.jsonl"));
  std::string received;
  for (int i = 0; i < 3; ++i) received += lines.next();
  EXPECT_EQ(received, written);
  EXPECT_TRUE(lines_of(written).at(0)["faces"][0]["face3d"].is_object());
  const std::string bundle = avatar.next();
  EXPECT_EQ(bundle.substr(0, 8), std::string("#bundle\0", 8));
  for (const char* name : {"/VMC/Ext/OK", "/VMC/Ext/Bone/Pos", "Head", "/VMC/Ext/Blend/Val"})
    EXPECT_NE(bundle.find(name), std::string::npos) << name;
}

TEST_F(Face3dTest, addresses_that_are_none_are_refused) {
  for (const auto& [url, complaint] : std::vector<std::pair<std::string, std::string>>{
           {"tcp://localhost:1", "expected udp://HOST:PORT or osc://HOST:PORT"},
           {"udp://no-such-host.invalid:9000", "no-such-host.invalid"}}) {
    const Outcome outcome = analyze({"raw:320x320", "--send", url, "--csv", path("faces.csv")}, frames(1));
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(complaint));
    EXPECT_FALSE(fs::exists(path("faces.csv")));
  }
  EXPECT_THAT(analyze({path("face.png"), "--send", "udp://localhost:9000"}).err,
              HasSubstr("--send is for videos"));
}

}  // namespace
}  // namespace spiga
