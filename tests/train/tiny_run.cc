// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/tiny_run.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "geometry/head_pose.h"
#include "scheme/scheme.h"
#include "train/packed.h"
#include "train/random.h"
#include "weights/safetensors.h"

namespace spiga::testing {
namespace {

constexpr int kSide = 150;

void draw_disc(Image& picture, const Point& centre, float radius, const std::uint8_t (&bgr)[3]) {
  for (int y = 0; y < picture.height(); ++y)
    for (int x = 0; x < picture.width(); ++x) {
      const float dx = static_cast<float>(x) - centre.x, dy = static_cast<float>(y) - centre.y;
      if (dx * dx + dy * dy > radius * radius) continue;
      std::copy(std::begin(bgr), std::end(bgr), picture.data() + y * picture.stride_bytes() + 3 * x);
    }
}

std::vector<Point> mean_face_seen(const scheme::Database& database, const HeadPose& pose) {
  const geometry::RigidPose rigid = geometry::rigid_from_head_pose(pose);
  std::vector<Point> points;
  for (const scheme::Point3& world : database.world_points) {
    const Point p = geometry::project(world, rigid);
    points.push_back({p.x * kSide, p.y * kSide});
  }
  return points;
}

Box box_around(const std::vector<Point>& points) {
  Box box{points[0].x, points[0].y, points[0].x, points[0].y};  // corners first
  for (const Point& p : points)
    box = {std::min(box.x, p.x), std::min(box.y, p.y), std::max(box.width, p.x), std::max(box.height, p.y)};
  return {box.x, box.y, box.width - box.x, box.height - box.y};
}

Image draw_face(const std::vector<Point>& points, train::Random& random) {
  Image picture(kSide, kSide, PixelFormat::bgr8);
  const auto ground = static_cast<std::uint8_t>(random.uniform(30, 220));
  std::fill_n(picture.data(), picture.stride_bytes() * kSide, ground);
  const Box box = box_around(points);
  draw_disc(picture, {box.x + box.width / 2, box.y + box.height / 2}, 0.6F * std::max(box.width, box.height),
            {static_cast<std::uint8_t>(random.uniform(80, 140)),
             static_cast<std::uint8_t>(random.uniform(110, 170)),
             static_cast<std::uint8_t>(random.uniform(150, 230))});
  for (std::size_t i = 0; i < points.size(); ++i)
    draw_disc(picture, points[i], 2.2F,
              {static_cast<std::uint8_t>(37 * i % 256), static_cast<std::uint8_t>(101 * i % 256),
               static_cast<std::uint8_t>(211 * i % 256)});
  return picture;
}

}  // namespace

model::NetworkConfig tiny_network() {
  return {.input_size = 64,
          .stem_width = 8,
          .stem_stride = 2,
          .width = 16,
          .stacks = 1,
          .hourglass_depth = 2,
          .embedding = 16,
          .shape_hidden = 16,
          .window_grid = 3,
          .gat_width = 16,
          .gat_layers = 1,
          .gat_heads = 2,
          .steps = 2,
          .initial_shape = model::InitialShape::heatmap};
}

void pack_drawn_faces(const std::filesystem::path& path, int faces, unsigned seed,
                      const std::string& database_name) {
  const scheme::Database& database = scheme::find_database(database_name);
  train::FaceWriter writer(path.string(), database.name, database.landmarks, {});
  train::Random random(seed);
  for (int i = 0; i < faces; ++i) {
    const HeadPose pose = {.yaw_deg = static_cast<float>(random.uniform(-30, 30)),
                           .pitch_deg = static_cast<float>(random.uniform(-15, 15)),
                           .roll_deg = static_cast<float>(random.uniform(-20, 20)),
                           .translation = {0, 0, static_cast<float>(random.uniform(3, 4))}};
    const std::vector<Point> points = mean_face_seen(database, pose);
    const Image picture = draw_face(points, random);
    writer.add({.name = "face" + std::to_string(i) + ".png",
                .box = box_around(points),
                .landmarks = points,
                .visible = std::vector<float>(points.size(), 1),
                .headpose = {}},
               picture.view());
  }
  writer.finish();
}

train::TrainConfig tiny_config(const std::filesystem::path& folder, const std::filesystem::path& train_data,
                               int steps) {
  train::TrainConfig config;
  config.network = tiny_network();
  config.train_data = train_data.string();
  config.folder = folder.string();
  config.batch = 8;
  config.bf16 = false;
  config.checkpoint_minutes = config.validate_minutes = 1e9;
  train::StageConfig stage;
  stage.faces = std::int64_t{steps} * config.batch;
  stage.warmup_steps = 3;
  stage.loss = {.coordinates = 1, .coordinate_beta = 0.25, .attention = 1, .cross_entropy = 0.3, .pose = 0.1};
  for_each_option(stage.augment, [](const char*, double& value, double low, double) {
    if (low <= 0) value = 0;
  });
  stage.augment.detector_size = 1;
  for (const train::Part part : {train::Part::backbone, train::Part::cascade}) {
    stage.name = part == train::Part::backbone ? "backbone" : "cascade";
    stage.part = part;
    config.stages.push_back(stage);
  }
  return config;
}

std::string write_tiny_recipe(const std::filesystem::path& folder, const std::filesystem::path& data,
                              const std::string& run_keys, const std::string& stage_keys) {
  const nlohmann::json fields = to_json(tiny_network());
  std::string text = "[network]\n";
  for (const auto& [key, value] : fields.items()) text += key + " = " + value.dump() + "\n";
  text += "[data]\ntrain = \"" + data.string() + "\"\nvalid = \"" + data.string() + "\"\n";
  text += "[run]\nfolder = \"" + folder.string() + "\"\nbf16 = false\n" + run_keys;
  text += "[[stage]]\nname = \"backbone\"\nwarmup_steps = 3\n" + stage_keys;
  text += "[[stage]]\nname = \"cascade\"\npart = \"cascade\"\nwarmup_steps = 3\n" + stage_keys;
  const std::string path = folder.string() + ".toml";
  base::write_file(path, text);
  return path;
}

std::map<std::string, std::string> tensors_of(const std::filesystem::path& checkpoint) {
  const weights::SafetensorsFile file(checkpoint);
  std::map<std::string, std::string> tensors;
  for (const weights::NamedTensor& tensor : file.tensors())
    tensors[tensor.name].assign(tensor.tensor.bytes.begin(), tensor.tensor.bytes.end());
  return tensors;
}

std::vector<std::string> differing_tensors(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto first = tensors_of(a), second = tensors_of(b);
  std::vector<std::string> names;
  for (const auto& [name, bytes] : first)
    if (!second.contains(name) || second.at(name) != bytes) names.push_back(name);
  for (const auto& [name, bytes] : second)
    if (!first.contains(name)) names.push_back(name);
  return names;
}

}  // namespace spiga::testing
