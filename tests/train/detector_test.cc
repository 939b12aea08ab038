// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "model/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <span>

#include "base/file.h"
#include "engine/calibration.h"
#include "geometry/boxes.h"
#include "model/weight_source.h"
#include "spiga/error.h"
#include "train/detector_loss.h"
#include "train/detector_network.h"
#include "train/detector_samples.h"
#include "train/detector_texts.h"
#include "train/detector_trainer.h"
#include "train/export.h"
#include "train/random.h"

namespace spiga::train {
namespace {

namespace fs = std::filesystem;
using model::DetectorConfig;

const DetectorConfig kTiny = {.stem_width = 8, .width = {8, 16, 16}, .blocks = {1, 2, 0}, .neck = 8};

// The module's own tensors, for the engine.
class ModuleWeights : public model::WeightSource {
 public:
  explicit ModuleWeights(const torch::nn::Module& module) {
    for (const auto& item : module.named_parameters()) tensors_[item.key()] = item.value();
    for (const auto& item : module.named_buffers()) tensors_[item.key()] = item.value();
  }
  std::vector<float> read(std::string_view name, const std::vector<std::int64_t>& shape) override {
    const torch::Tensor tensor = tensors_.at(std::string(name)).detach().contiguous();
    EXPECT_EQ(tensor.sizes().vec(), shape) << name;
    return {tensor.data_ptr<float>(), tensor.data_ptr<float>() + tensor.numel()};
  }

 private:
  std::map<std::string, torch::Tensor> tensors_;
};

void fill_randomly(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  for (auto& item : module.named_parameters())
    if (item.value().dim() == 1) item.value().uniform_(-0.3, 0.3);
  for (auto& item : module.named_parameters())
    if (item.key().ends_with("bn.weight")) item.value().uniform_(0.5, 1.5);
  for (auto& item : module.named_parameters())
    if (item.key().starts_with("head") && item.value().dim() == 4) item.value().uniform_(-0.3, 0.3);
  for (auto& item : module.named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().uniform_(-0.5, 0.5);
    if (item.key().ends_with("running_var")) item.value().uniform_(0.5, 2);
  }
}

Image noise_picture(int width, int height, std::uint64_t seed) {
  Image picture(width, height, PixelFormat::bgr8);
  Random random(seed);
  for (std::ptrdiff_t i = 0; i < picture.stride_bytes() * height; ++i)
    picture.data()[i] = static_cast<std::uint8_t>(random.below(256));
  return picture;
}

// What LibTorch says of a picture with black up to `height` x `width`.
torch::Tensor outputs_of(DetectorNetwork& network, const Image& picture, int height, int width) {
  torch::Tensor pixels = torch::zeros({1, height, width, 3}, torch::kUInt8);
  for (int y = 0; y < picture.height(); ++y)
    std::copy_n(picture.data() + y * picture.stride_bytes(), picture.stride_bytes(),
                pixels.data_ptr<std::uint8_t>() + y * pixels.stride(1));
  torch::NoGradGuard no_grad;
  network.eval();
  return network.forward(blocks_of(pixels, torch::kFloat32)).reshape({-1});
}

TEST(Detector, EngineAgreesWithLibTorch) {
  DetectorNetwork network(kTiny);
  fill_randomly(network);
  ModuleWeights weights(network);
  const Image picture = noise_picture(91, 50, 1);
  const torch::Tensor expected = outputs_of(network, picture, 64, 96);
  const double deviation = expected.std().item<double>();
  ASSERT_GT(deviation, 0.05);
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    if (precision == Precision::bf16 && !engine::supports(engine::DataType::bf16)) continue;
    model::DetectorSession session(model::CompiledNetwork::load(kTiny, weights, precision));
    session.run(picture.view(), {});
    const std::vector<float> ours = session.outputs();
    ASSERT_EQ(static_cast<std::int64_t>(ours.size()), expected.numel());
    const double worst = (torch::tensor(ours) - expected).abs().max().item<double>();
    EXPECT_LT(worst, precision == Precision::f32 ? 1e-4 : 0.3 * deviation);
  }
}

TEST(Detector, AnswersDoNotDependOnWhatWasSeenBefore) {
  DetectorNetwork network(kTiny);
  fill_randomly(network);
  ModuleWeights weights(network);
  model::DetectorSession session(model::CompiledNetwork::load(kTiny, weights, Precision::f32));
  const Image picture = noise_picture(64, 96, 1);
  session.run(picture.view(), {});
  const std::vector<float> first = session.outputs();
  for (int i = 1; i < 10; ++i) session.run(noise_picture(32 * i, 33, 7).view(), {});
  session.run(noise_picture(1, 1, 2).view(), {});
  session.run(noise_picture(5000, 3, 2).view(), {});
  session.run(picture.view(), {});
  EXPECT_EQ(session.outputs(), first);
  EXPECT_THROW(session.run(ImageView{}, {}), Error);
}

TEST(DetectorCells, TellEachFaceOnceTheSurestFirst) {
  const auto grids = model::cell_grids(64, 64);
  std::vector<std::vector<float>> outputs;
  std::vector<const float*> pointers;
  for (const auto& grid : grids)
    outputs.emplace_back(static_cast<std::size_t>(grid.cells()) * DetectorConfig::kOutputs, -9.0F);
  const auto say = [&](std::size_t level, int cell, float logit, float size) {
    float* output = outputs[level].data() + cell * DetectorConfig::kOutputs;
    std::fill_n(output, DetectorConfig::kOutputs, 0.0F);
    output[0] = logit;
    output[3] = output[4] = std::log(size);
  };
  say(0, 0, 1, 2);     // 16 pixels around (3.5, 3.5)
  say(0, 1, 2, 2);     // 8 pixels to its right: IoU 1/3
  say(0, 9, 3, 2);     // diagonally
  say(0, 63, 4, 2);    // far away
  say(1, 15, 3.5, 1);  // the same as the last one, from the next level
  for (const auto& level : outputs) pointers.push_back(level.data());
  const auto faces = model::faces_of_cells(grids, pointers, 0.5F, 0.3F);
  ASSERT_EQ(faces.size(), 3U);
  EXPECT_NEAR(faces[0].score, 1 / (1 + std::exp(-4.0F)), 1e-6);
  EXPECT_FLOAT_EQ(faces[0].face.box.x, 59.5F - 8);
  EXPECT_FLOAT_EQ(faces[0].face.box.width, 16);
  EXPECT_FLOAT_EQ(faces[1].face.box.x, 11.5F - 8);
  EXPECT_FLOAT_EQ(faces[2].face.box.x, 3.5F - 8);
}

DetectorSample sample_with_face(const Box& box) {
  DetectorSample sample{.side = 128, .pixels = {}, .faces = {}, .ignored = {}};
  SampleFace face{.box = box, .points = {}};
  for (Point& p : face.points) p = {box.x + box.width / 3, box.y + box.height / 2};
  sample.faces.push_back(face);
  return sample;
}

TEST(DetectorLoss, AssignsCellsNearTheFace) {
  const DetectorSample sample = sample_with_face({30, 40, 34, 30});
  const torch::Tensor outputs = torch::zeros({256 + 64 + 16, DetectorConfig::kOutputs});
  outputs.narrow(1, 3, 2).fill_(std::log(4.0F));
  const Assignment assignment = assign_cells(sample, outputs.data_ptr<float>());
  ASSERT_FALSE(assignment.positives.empty());
  for (const AssignedCell& one : assignment.positives) {
    ASSERT_LT(one.cell, 256);  // a face of 32 pixels belongs to the finest level
    EXPECT_NEAR(8 * static_cast<double>(one.cell % 16) + 3.5, 47, 12);
    EXPECT_NEAR(8 * static_cast<double>(one.cell / 16) + 3.5, 55, 12);
  }
}

TEST(DetectorLoss, FallsToNothingAndLeavesIgnoredCellsAlone) {
  DetectorSample sample = sample_with_face({30, 40, 34, 30});
  sample.ignored.push_back({90, 90, 30, 30});
  torch::manual_seed(1);
  torch::Tensor outputs = torch::randn({1, 336, DetectorConfig::kOutputs}) * 0.1;
  outputs.requires_grad_(true);
  const double before = detector_loss(outputs, {sample}, {}).total.item<double>();
  for (int i = 0; i < 1500; ++i) {
    const torch::Tensor loss = detector_loss(outputs, {sample}, {}).total;
    outputs.mutable_grad() = torch::Tensor();
    loss.backward();
    torch::NoGradGuard no_grad;
    if (i == 0) {  // the cell at (99.5, 99.5) is asked nothing, the one at (3.5, 3.5) is
      EXPECT_EQ(outputs.grad()[0][12 * 16 + 12].abs().sum().item<double>(), 0);
      EXPECT_GT(outputs.grad()[0][0].abs().sum().item<double>(), 0);
    }
    outputs.sub_(outputs.grad() * 0.5);
  }
  EXPECT_LT(detector_loss(outputs, {sample}, {}).total.item<double>(), 0.1 * before);
}

TEST(DetectorLoss, AsksLessOfInexactBoxesAndNothingOfUnknownPoints) {
  DetectorSample exact = sample_with_face({30, 40, 34, 30});
  exact.faces[0].points[1] = {std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::quiet_NaN()};
  torch::manual_seed(1);
  const torch::Tensor outputs = torch::randn({1, 336, DetectorConfig::kOutputs}) * 0.1;
  const auto parts_of = [&](const DetectorSample& sample, const DetectorLossWeights& weights) {
    auto parts = detector_loss(outputs, {sample}, weights).parts;
    return std::array{parts.at("score").item<double>(), parts.at("box").item<double>(),
                      parts.at("points").item<double>()};
  };
  const auto [score, box, points] = parts_of(exact, {});
  EXPECT_TRUE(std::isfinite(points));
  DetectorSample inexact = exact;
  inexact.faces[0].exact = false;
  DetectorLossWeights weights;
  weights.inexact_box = 0.25;
  EXPECT_NEAR(parts_of(inexact, weights)[1], 0.25 * box, 1e-5);
  EXPECT_EQ(parts_of(inexact, weights)[0], score);
  // Where no point is known, nothing is asked; where the others are known, they are averaged alone.
  for (Point& p : inexact.faces[0].points) p.x = p.y = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(parts_of(inexact, weights)[2], 0);
  DetectorSample all = sample_with_face({30, 40, 34, 30});
  EXPECT_NE(parts_of(all, {})[2], points);
  // The quality's power moves the target of the scores alone.
  weights.quality_power = 0.5;
  EXPECT_NE(parts_of(exact, weights)[0], score);
  EXPECT_EQ(parts_of(exact, weights)[2], points);
}

TEST(DetectorTexts, AreTheSameForOneSeedAndShowMoreThanOneColour) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed), again(seed);
    const Image texts = draw_texts(61, 40, random), same = draw_texts(61, 40, again);
    ASSERT_EQ(texts.width(), 61);
    ASSERT_EQ(texts.height(), 40);
    const std::size_t size = 3 * 61 * 40;
    EXPECT_TRUE(std::equal(texts.data(), texts.data() + size, same.data()));
    EXPECT_NE(std::ranges::max(std::span(texts.data(), size)),
              std::ranges::min(std::span(texts.data(), size)));
  }
  Random random(1);
  EXPECT_EQ(draw_texts(1, 1, random).width(), 1);
}

// A file of two scenes, each with a bright square as its face, all landmarks on it.
class DetectorData : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::string landmarks;
    for (int i = 0; i < 68; ++i)
      landmarks +=
          (i ? ",[" : "[") + std::to_string(40 + i % 9 * 5) + "," + std::to_string(30 + i / 9 * 5) + "]";
    const std::string faces = "\"faces\":[{\"landmarks\":[" + landmarks + "]}]";
    base::write_file(folder_ / "a.json",
                     "[{\"imgpath\":\"1.png\"," + faces + "},{\"imgpath\":\"2.png\"," + faces + "}]");
    base::write_file(folder_ / "found.jsonl",
                     "{\"source\":\"" + (folder_ / "2.png").string() +
                         "\",\"faces\":[{\"box\":[41,31,39,34]},{\"box\":[100,90,20,20]}]}\n");
    ScenePackOptions options;
    options.annotations = {folder_ / "a.json"};
    options.ignored = {folder_ / "found.jsonl"};
    options.read_picture = [](const fs::path&) { return scene_picture(); };
    packed_ = pack_scenes(options, folder_ / "scenes.pack");
  }

  void TearDown() override { fs::remove_all(folder_); }

  static Image scene_picture() {
    Image picture(160, 120, PixelFormat::bgr8);
    for (int y = 30; y <= 65; ++y)
      std::fill_n(picture.data() + y * picture.stride_bytes() + 3 * 40, 3 * 41, std::uint8_t{250});
    return picture;
  }

  std::string pack() const { return (folder_ / "scenes.pack").string(); }

  fs::path folder_;
  ScenePackResult packed_;
};

TEST_F(DetectorData, KeepsPicturesFacesAndWhatIsToBeIgnored) {
  EXPECT_EQ(packed_.pictures, 2U);
  EXPECT_EQ(packed_.faces, 2U);
  EXPECT_EQ(packed_.ignored, 1U);  // the other one is the annotated face
  const SceneDataset scenes = SceneDataset::open(pack());
  ASSERT_EQ(scenes.size(), 2);
  EXPECT_TRUE(scenes.scene(0).ignored.empty());
  ASSERT_EQ(scenes.scene(1).ignored.size(), 1U);
  EXPECT_EQ(scenes.scene(1).ignored[0].x, 100);
  EXPECT_EQ(scenes.scene(1).pixels.width, 160);
  EXPECT_EQ(geometry::tight_box(scenes.scene(1).landmarks.at(0)).width, 40);
  base::write_file(folder_ / "no.pack", "nothing");
  EXPECT_THROW(SceneDataset::open((folder_ / "no.pack").string()), Error);
}

TEST_F(DetectorData, KeepsBoxesNegativesAndFacesOfWhichNotAllIsAnnotated) {
  std::string landmarks;
  for (int i = 0; i < 68; ++i) {
    if (i) landmarks += ",";
    landmarks += i < 40 ? "[" + std::to_string(10 + i) + "," + std::to_string(20 + i) + "]" : "null";
  }
  const auto pack = [&](const std::string& faces) {
    base::write_file(folder_ / "b.json", "[{\"imgpath\":\"1.png\"," + faces + "}]");
    ScenePackOptions options;
    options.annotations = {folder_ / "b.json"};
    options.read_picture = [](const fs::path&) { return scene_picture(); };
    return pack_scenes(options, folder_ / "b.pack");
  };
  const ScenePackResult packed = pack("\"faces\":[{\"box\":[40,30,20,25]},{\"landmarks\":[" + landmarks +
                                      "]}],\"ignored\":[[1,2,3,4]],\"negatives\":[[5,6,7,8],[9,10,11,12]]");
  EXPECT_EQ(packed.faces, 2U);
  EXPECT_EQ(packed.ignored, 1U);
  const SceneDataset scenes = SceneDataset::open((folder_ / "b.pack").string());
  const Scene scene = scenes.scene(0);
  ASSERT_EQ(scene.boxes.size(), 1U);
  EXPECT_EQ(scene.boxes[0].height, 25);
  ASSERT_EQ(scene.negatives.size(), 2U);
  EXPECT_EQ(scene.negatives[1].x, 9);
  ASSERT_EQ(scene.landmarks.size(), 1U);
  EXPECT_TRUE(std::isnan(scene.landmarks[0][67].x));
  EXPECT_EQ(face_box(scene.landmarks[0]).width, 39);
  // Samples have the known points, and boxes without landmarks are not exact.
  int exact = 0, inexact = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    for (const SampleFace& face : make_detector_sample(scenes, {}, 96, seed).faces) {
      ++(face.exact ? exact : inexact);
      EXPECT_TRUE(std::isnan(face.points[3].x));
      EXPECT_TRUE(std::isfinite(face.box.width));
    }
  EXPECT_GT(exact, 0);
  EXPECT_GT(inexact, 0);
  EXPECT_THROW(pack("\"faces\":[{\"box\":[40,30,20]}]"), Error);
  EXPECT_THROW(pack("\"faces\":[{\"landmarks\":[null,[1,2]]}]"), Error);
}

TEST_F(DetectorData, DrawsScenesByTheirShares) {
  ScenePackOptions options;
  options.annotations = {folder_ / "a.json"};
  options.read_picture = [](const fs::path&) { return Image(64, 64, PixelFormat::bgr8); };
  pack_scenes(options, folder_ / "black.pack");
  const SceneSources sources(
      {SceneDataset::open(pack()), SceneDataset::open((folder_ / "black.pack").string())}, {1, 3});
  Random random(5);
  int black = 0;
  for (int i = 0; i < 4000; ++i) black += sources.any(random).pixels.width == 64;
  EXPECT_NEAR(black, 3000, 120);
}

TEST_F(DetectorData, DrawsScenesByTheRootOfTheirFaces) {
  const std::string face = "{\"box\":[40,30,41,36]}";
  base::write_file(folder_ / "c.json", "[{\"imgpath\":\"1.png\",\"faces\":[" + face + "," + face + "," +
                                           face + "," + face + "]},{\"imgpath\":\"2.png\",\"faces\":[" +
                                           face + "]}]");
  ScenePackOptions options;
  options.annotations = {folder_ / "c.json"};
  options.read_picture = [](const fs::path&) { return Image(64, 64, PixelFormat::bgr8); };
  pack_scenes(options, folder_ / "crowd.pack");
  const SceneSources sources(SceneDataset::open((folder_ / "crowd.pack").string()));
  Random random(5);
  int crowds = 0;
  for (int i = 0; i < 6000; ++i) crowds += sources.any(random).boxes.size() == 4;
  EXPECT_NEAR(crowds, 4000, 150);
}

TEST_F(DetectorData, TurnsBoxesWithoutLandmarksAsEllipses) {
  base::write_file(folder_ / "b.json", "[{\"imgpath\":\"1.png\",\"faces\":[{\"box\":[40,30,41,36]}]}]");
  ScenePackOptions options;
  options.annotations = {folder_ / "b.json"};
  options.read_picture = [](const fs::path&) { return scene_picture(); };
  pack_scenes(options, folder_ / "b.pack");
  const SceneDataset scenes = SceneDataset::open((folder_ / "b.pack").string());
  DetectorAugment turned;
  turned.tiles_2 = turned.tiles_4 = turned.background = turned.occlusion = turned.low_resolution =
      turned.upright = 0;
  turned.stretch = turned.negatives = turned.at_edge = 0;
  turned.rotation_deg = 180;
  int faces = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed)
    for (const SampleFace& face : make_detector_sample(scenes, turned, 96, seed).faces) {
      ++faces;
      // Around an ellipse of 41 x 36 at any angle: no side is beyond its axes.
      const double a = face.box.width, b = face.box.height;
      EXPECT_GE(std::min(a, b) / std::max(a, b), 36 / 41.0 - 1e-4);
      EXPECT_LE(std::min(a, b) / std::max(a, b), 1);
    }
  EXPECT_GT(faces, 20);
}

TEST_F(DetectorData, SamplesShowTheFaceWhereTheySayItIs) {
  const SceneDataset scenes = SceneDataset::open(pack());
  DetectorAugment plain;
  plain.tiles_2 = plain.tiles_4 = plain.background = plain.occlusion = plain.grey = plain.dark = 0;
  plain.cast = plain.contrast = plain.blur = plain.noise = plain.jpeg = plain.rotation_deg = 0;
  plain.low_resolution = plain.at_edge = plain.text = 0;
  plain.upright_deg = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const DetectorSample sample = make_detector_sample(scenes, plain, 96, seed);
    const DetectorSample again = make_detector_sample(scenes, plain, 96, seed);
    EXPECT_EQ(sample.pixels, again.pixels);
    for (const SampleFace& face : sample.faces) {
      const Box& box = face.box;
      const int x = std::clamp(static_cast<int>(std::lround(box.x + box.width / 2)), 0, 95);
      const int y = std::clamp(static_cast<int>(std::lround(box.y + box.height / 2)), 0, 95);
      EXPECT_GT(int{sample.pixels[static_cast<std::size_t>(3 * (96 * y + x))]}, 240) << seed;
    }
  }
}

TEST_F(DetectorData, TrainsStopsAndGoesOn) {
  const std::string recipe = (folder_ / "detector.toml").string();
  const auto write = [&](int steps) {
    base::write_file(recipe,
                     "kind = \"detector\"\n[network]\nstem_width = 8\nwidth = [8, 8, 8]\nblocks = [0, 0, 0]\n"
                     "neck = 8\n[data]\ntrain = \"" +
                         pack() + "\"\nvalid = \"" + pack() + "\"\n[run]\nfolder = \"" +
                         (folder_ / "run").string() +
                         "\"\nbf16 = false\nsides = [64]\nside_shares = [1]\nbatch_pixels = 8192\n"
                         "warmup_steps = 1\nsteps = " +
                         std::to_string(steps) + "\n");
  };
  write(3);
  ASSERT_TRUE(is_detector_recipe(recipe));
  int steps = 0, validations = 0;
  const DetectorEvents events = {
      .on_step = [&](const StepReport& report) { EXPECT_EQ(report.step, steps++); },
      .on_validation =
          [&](const StepReport&, const DetectorValidation& v) {
            ++validations;
            EXPECT_GE(v.recall, 0);
          }};
  EXPECT_EQ(run_detector_training(recipe, {}, events, [&] { return steps == 2; }), TrainOutcome::interrupted);
  EXPECT_EQ(steps, 2);
  EXPECT_THROW(run_detector_training(recipe, {}, events, [] { return false; }), Error);
  const RunOptions resume = {.resume = true, .overwrite = false, .init = {}};
  EXPECT_EQ(run_detector_training(recipe, resume, events, [] { return false; }), TrainOutcome::finished);
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(validations, 1);
  // A checkpoint is a model file.
  model::DetectorSession session(
      model::CompiledNetwork::load(folder_ / "run" / "checkpoint.safetensors", Precision::f32));
  session.run(scene_picture().view(), {});
  const std::vector<float> outputs = session.outputs();
  ASSERT_FALSE(outputs.empty());
  // Exported, it says the same.
  const fs::path exported = folder_ / "detector.safetensors";
  const ExportSummary summary = export_model(folder_ / "run" / "checkpoint.safetensors", exported,
                                             {.matrices = weights::DType::f32, .provenance = "a test"});
  EXPECT_LT(summary.bytes, fs::file_size(folder_ / "run" / "checkpoint.safetensors") / 2);
  model::DetectorSession again(model::CompiledNetwork::load(exported, Precision::f32));
  again.run(scene_picture().view(), {});
  EXPECT_EQ(again.outputs(), outputs);
}

TEST_F(DetectorData, RefusesRecipesThatMakeNoSense) {
  const std::string recipe = (folder_ / "bad.toml").string();
  base::write_file(recipe, "kind = \"detector\"\n[data]\ntrain = \"x\"\n[run]\nsides = [100]\n");
  EXPECT_THROW(read_detector_config(recipe), Error);
  base::write_file(recipe, "kind = \"detector\"\n[network]\nneck = 0\n[data]\ntrain = \"x\"\n");
  EXPECT_THROW(read_detector_config(recipe), Error);
  base::write_file(recipe, "kind = \"detector\"\n[data]\ntrain = [\"x\", \"y\"]\nshares = [1]\n");
  EXPECT_THROW(read_detector_config(recipe), Error);
  base::write_file(recipe, "kind = \"detector\"\n[data]\ntrain = [\"x\", \"y\"]\nshares = [0, 0]\n");
  EXPECT_THROW(read_detector_config(recipe), Error);
  base::write_file(recipe, "kind = \"detector\"\n[data]\ntrain = [\"x\", 3]\n");
  EXPECT_THROW(read_detector_config(recipe), Error);
  base::write_file(recipe, "kind = \"detector\"\n[data]\ntrain = [\"x\", \"y\"]\nshares = [1, 3]\n");
  EXPECT_EQ(read_detector_config(recipe).train_shares[1], 3);
  base::write_file(recipe, "kind = \"detector\"\n[augment]\nmirrors = 1\n[data]\ntrain = \"x\"\n");
  EXPECT_THROW(read_detector_config(recipe), Error);
}

}  // namespace
}  // namespace spiga::train
