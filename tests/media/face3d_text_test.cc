// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/face3d_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/file.h"
#include "media/face_text.h"
#include "media/mesh_file.h"
#include "media/video_text.h"

namespace spiga::media {
namespace {

using nlohmann::json;

const FaceModel& model() {
  static const FaceModel loaded = FaceModel::load("models/head.safetensors");
  return loaded;
}

Camera camera() { return guessed_camera(640, 480); }

Face3d some_face() {
  CameraPose pose;
  pose.translation_mm = {20, -10, 600};
  return model().make({}, {}, pose);
}

Faces3d one_and_none() { return {camera(), {some_face(), std::nullopt}, {{}, {}}}; }

TEST(Face3dText, JsonOfMeshes) {
  PictureFaces picture{"a.jpg", 640, 480, {Face(), Face()}};
  picture.in_3d = one_and_none();
  std::string line;
  append_json_line(line, picture);
  EXPECT_FALSE(json::parse(line)["faces"][0].contains("mesh"));

  Mesh mesh;
  mesh.vertices_mm = {{1, 2, 600}, {3, 4, 587.66f}};
  mesh.pixels = {{10, 20.04f}, {-0.01f, 40.26f}};
  picture.in_3d->meshes = {mesh, std::nullopt};
  line.clear();
  append_json_line(line, picture);
  const json faces = json::parse(line)["faces"];
  EXPECT_EQ(faces[0]["mesh"]["pixels"], json({10.0, 20.0, 0.0, 40.3}));
  EXPECT_EQ(faces[0]["mesh"]["depth_mm"], json({0.0, -12.3}));
  EXPECT_TRUE(faces[1]["mesh"].is_null());

  std::string triangles;
  append_json_triangles(triangles, model());
  const json corners = json::parse(triangles)["triangles"];
  ASSERT_EQ(corners.size(), 3 * model().triangles().size());
  for (std::size_t i = 0; i < corners.size(); ++i) ASSERT_EQ(corners[i], model().triangles()[i / 3][i % 3]);
}

TEST(Face3dText, JsonOfAPicture) {
  PictureFaces picture{"a.jpg", 640, 480, {Face(), Face()}};
  std::string plain;
  append_json_line(plain, picture);
  EXPECT_FALSE(json::parse(plain).contains("camera"));
  picture.in_3d = one_and_none();
  std::string line;
  append_json_line(line, picture);
  const json record = json::parse(line);
  EXPECT_EQ(record["camera"]["fx"], 640);
  EXPECT_EQ(record["camera"]["guessed"], true);
  const json& face = record["faces"][0]["face3d"];
  EXPECT_EQ(face["points_mm"].size(), 68u);
  EXPECT_EQ(face["pose"]["translation_mm"], json({20, -10, 600}));
  EXPECT_EQ(face["blendshapes"].size(), blendshapes().size());
  EXPECT_EQ(face["blendshapes"]["jawOpen"], 0);
  EXPECT_EQ(face["signals"]["blink"], false);
  EXPECT_FALSE(face.contains("events"));
  EXPECT_TRUE(record["faces"][1]["face3d"].is_null());
}

TEST(Face3dText, JsonOfAFrameTellsEvents) {
  FrameFaces frame;
  frame.faces.resize(2);
  frame.faces[0].found = false;
  frame.in_3d = Faces3d{camera(), {std::nullopt, some_face()}, {{}, {{FaceEventKind::blink, 1.0, 1.12}}}};
  std::string line;
  append_json_line(line, frame);
  const json record = json::parse(line);
  ASSERT_EQ(record["faces"].size(), 1u);
  EXPECT_EQ(record["faces"][0]["face3d"]["events"],
            json::parse(R"([{"kind":"blink","start_s":1.0,"end_s":1.12}])"));
}

TEST(Face3dText, NumbersThatAreNoneAreNull) {
  Face3d face = some_face();
  face.signals.smile = std::numeric_limits<float>::quiet_NaN();
  face.points_mm[3][1] = std::numeric_limits<float>::infinity();
  std::string text = "{";
  append_json_face3d(text, face, nullptr);
  EXPECT_TRUE(json::parse(text + "}")["face3d"]["signals"]["smile"].is_null());
}

TEST(Face3dText, EveryRowHasTheHeadersColumns) {
  std::string names, row, none;
  append_csv_face3d_names(names);
  append_csv_face3d_fields(row, some_face());
  append_csv_face3d_fields(none, std::nullopt);
  const auto commas = [](const std::string& text) { return std::count(text.begin(), text.end(), ','); };
  EXPECT_EQ(commas(names), commas(row));
  EXPECT_EQ(commas(names), commas(none));

  PictureFaces picture{"a.jpg", 640, 480, {Face(), Face()}};
  picture.in_3d = one_and_none();
  std::string header, rows;
  append_csv_header(header, 0, true);
  append_csv_rows(rows, picture);
  EXPECT_EQ(commas(header) * 2, commas(rows));
}

TEST(MeshFile, HasTheMeshAndItsTexture) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "face3d-mesh";
  std::filesystem::create_directories(folder);
  Image picture(640, 480, PixelFormat::bgr8);
  write_mesh(folder / "a-0", MeshFormat::obj, model(), some_face(), camera(), picture);
  const std::string object = base::read_file(folder / "a-0.obj");
  EXPECT_NE(object.find("mtllib a-0.mtl"), std::string::npos);
  std::size_t vertices = 0, triangles = 0;
  for (std::size_t at = 0; at < object.size(); at = object.find('\n', at) + 1) {
    vertices += object.compare(at, 2, "v ") == 0;
    triangles += object.compare(at, 2, "f ") == 0;
    if (object.find('\n', at) == std::string::npos) break;
  }
  EXPECT_EQ(vertices, model().mesh(some_face(), camera()).vertices_mm.size());
  EXPECT_EQ(triangles, model().triangles().size());
  EXPECT_NE(base::read_file(folder / "a-0.mtl").find("map_Kd a-0.png"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder / "a-0.png"));
  std::filesystem::remove_all(folder);
}

// One number of a glTF file's accessor.
template <typename T>
T number_at(const json& file, std::string_view buffer, std::size_t accessor, std::size_t index) {
  const json& view = file["bufferViews"][file["accessors"][accessor]["bufferView"].get<std::size_t>()];
  T value;
  std::memcpy(&value, buffer.data() + view["byteOffset"].get<std::size_t>() + index * sizeof(T), sizeof(T));
  return value;
}

TEST(MeshFile, GltfHasMeshAndTextureInOneFile) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "face3d-glb";
  std::filesystem::create_directories(folder);
  write_mesh(folder / "a-0", MeshFormat::glb, model(), some_face(), camera(),
             Image(640, 480, PixelFormat::bgr8));
  const std::string bytes = base::read_file(folder / "a-0.glb");
  std::filesystem::remove_all(folder);
  const auto word = [&](std::size_t at) {
    std::uint32_t value;
    std::memcpy(&value, bytes.data() + at, 4);
    return value;
  };
  ASSERT_EQ(bytes.substr(0, 4), "glTF");
  EXPECT_EQ(word(4), 2u);
  EXPECT_EQ(word(8), bytes.size());
  const std::size_t text_bytes = word(12), second = 20 + text_bytes;
  EXPECT_EQ(bytes.substr(16, 4), "JSON");
  EXPECT_EQ(text_bytes % 4, 0u);
  EXPECT_EQ(bytes.substr(second + 4, 4), std::string("BIN\0", 4));
  EXPECT_EQ(second + 8 + word(second), bytes.size());
  const json file = json::parse(bytes.substr(20, text_bytes));
  const std::string_view buffer = std::string_view(bytes).substr(second + 8);
  EXPECT_EQ(file["buffers"][0]["byteLength"], buffer.size());
  const Mesh mesh = model().mesh(some_face(), camera());
  ASSERT_EQ(file["accessors"][0]["count"], mesh.vertices_mm.size());
  ASSERT_EQ(file["accessors"][2]["count"], 3 * model().triangles().size());
  for (const std::size_t v : {std::size_t{0}, mesh.vertices_mm.size() - 1}) {
    EXPECT_FLOAT_EQ(number_at<float>(file, buffer, 0, 3 * v), mesh.vertices_mm[v][0] / 1000);
    EXPECT_FLOAT_EQ(number_at<float>(file, buffer, 0, 3 * v + 1), -mesh.vertices_mm[v][1] / 1000);
    EXPECT_FLOAT_EQ(number_at<float>(file, buffer, 0, 3 * v + 2), -mesh.vertices_mm[v][2] / 1000);
    EXPECT_FLOAT_EQ(number_at<float>(file, buffer, 1, 2 * v + 1), (mesh.pixels[v].y + 0.5f) / 480);
  }
  EXPECT_EQ(number_at<std::uint16_t>(file, buffer, 2, 4), model().triangles()[1][1]);
  const json& view = file["bufferViews"][file["images"][0]["bufferView"].get<std::size_t>()];
  EXPECT_EQ(buffer.substr(view["byteOffset"].get<std::size_t>() + 1, 3), "PNG");
}

TEST(MeshFile, IsDrawnWhereTheFaceIs) {
  Image picture(640, 480, PixelFormat::bgr8);
  draw_mesh(picture, model(), some_face(), camera());
  const auto brightness = [&](int x, int y) {
    const std::uint8_t* p = picture.data() + y * picture.stride_bytes() + 3 * x;
    return p[0] + p[1] + p[2];
  };
  int inside = 0, outside = 0;
  for (int y = -20; y < 20; ++y)
    for (int x = -20; x < 20; ++x) {
      inside += brightness(341 + x, 229 + y);  // the nose tip: 320 + 20 * 640 / 600, 240 - 10 * 640 / 600
      outside += brightness(40 + x, 40 + y);
    }
  EXPECT_GT(inside, 1000);
  EXPECT_EQ(outside, 0);
}

}  // namespace
}  // namespace spiga::media
