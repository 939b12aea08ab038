// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/augment.h"

#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "geometry/boxes.h"
#include "geometry/head_pose.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "train/random.h"
#include "train/render.h"
#include "train/sample_plan.h"

namespace spiga::train {
namespace {

constexpr int kPicture = 300;
const torch::Device kCpu = torch::kCPU;

const scheme::Database& database() { return scheme::find_database("300wpublic"); }

// A face of the mean shape, turned a little, on the middle of the picture.
FaceToPack mean_face(const std::string& name, double yaw_deg) {
  const geometry::RigidPose pose{geometry::rotation_from_angles(yaw_deg, 5, -10), {0.02, -0.03, 2.8}};
  FaceToPack face{.name = name, .box = {}, .landmarks = {}, .visible = {}, .headpose = {}};
  for (const scheme::Point3& point : database().world_points) {
    const Point p = geometry::project(point, pose);
    face.landmarks.push_back({60 + 180 * p.x, 60 + 180 * p.y});
  }
  face.visible.assign(face.landmarks.size(), 1);
  face.box = geometry::tight_box(face.landmarks);
  return face;
}

// Black but for a blob around the centre of the landmark's pixel.
Image picture_of(const Point& landmark) {
  Image picture(kPicture, kPicture, PixelFormat::bgr8);
  for (int y = 0; y < kPicture; ++y)
    for (int x = 0; x < kPicture; ++x) {
      const double d = std::hypot(static_cast<double>(x) - landmark.x, static_cast<double>(y) - landmark.y);
      for (int c = 0; c < 3; ++c)
        picture.data()[3 * (y * kPicture + x) + c] =
            static_cast<std::uint8_t>(std::lround(250 * std::exp(-d * d / 18)));
    }
  return picture;
}

// Colours that change smoothly and everywhere.
Image colourful_picture(int width, int height) {
  Image picture(width, height, PixelFormat::bgr8);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        picture.data()[3 * (y * width + x) + c] =
            static_cast<std::uint8_t>(127.5 + 120 * std::sin(0.05 * (c + 1) * x + 0.03 * y * (3 - c) + c));
  return picture;
}

class Augment : public testing::Test {
 protected:
  Augment() : path_(std::filesystem::temp_directory_path() / ("spiga_augment_" + std::to_string(getpid()))) {}
  ~Augment() override { std::filesystem::remove(path_); }

  // Faces that show nothing but one landmark each.
  FaceDataset faces_of(const std::vector<int>& landmarks) const {
    FaceWriter writer(path_.string(), "300wpublic", 68, {});
    for (const int landmark : landmarks) {
      const FaceToPack face = mean_face(std::to_string(landmark), 15);
      writer.add(face, picture_of(face.landmarks[static_cast<std::size_t>(landmark)]).view());
    }
    writer.finish();
    return FaceDataset::open(path_.string());
  }

  FaceDataset colourful_faces(int count, const PackOptions& options = {}) const {
    FaceWriter writer(path_.string(), "300wpublic", 68, options);
    for (int i = 0; i < count; ++i)
      writer.add(mean_face(std::to_string(i), 10.0 * i - 20),
                 colourful_picture(kPicture, kPicture - 5 * i).view());
    writer.finish();
    return FaceDataset::open(path_.string());
  }

  std::filesystem::path path_;
  model::NetworkConfig config_;
};

// Everything at once.
AugmentOptions strong_options() {
  return {.detector = 0.5,
          .occlusion_picture = 0.5,
          .cast = 0.5,
          .grey = 0.2,
          .noise = 0.5,
          .jpeg = 0.5,
          .low_resolution = 0.5};
}

AugmentOptions geometry_only() { return {.detector = 0.3, .occlusion = 0, .hsv = 0, .blur = 0}; }

AugmentOptions nothing() {
  return {.mirror = 0, .rotation_deg = 0, .scale = 0, .translation = 0, .occlusion = 0, .hsv = 0, .blur = 0};
}

std::vector<std::int64_t> all_of(const FaceDataset& faces) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(faces.size()));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

// Centre of brightness in continuous pixels of [3, S, S].
Point centre_of(const torch::Tensor& image) {
  const torch::Tensor light = image.sum(0).to(torch::kDouble);
  const torch::Tensor places = torch::arange(light.size(0), torch::kDouble) + 0.5;
  const double sum = light.sum().item<double>();
  return {static_cast<float>((light.sum(0) * places).sum().item<double>() / sum),
          static_cast<float>((light.sum(1) * places).sum().item<double>() / sum)};
}

TEST_F(Augment, LandmarksStayOnWhatTheyMark) {
  const std::vector<int> marked = {17, 36, 39, 42, 45, 48, 54, 30};
  const FaceDataset faces = faces_of(marked);
  int mirrored = 0, checked = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Batch batch = make_batch(faces, all_of(faces), seed, geometry_only(), config_, kCpu);
    for (std::size_t i = 0; i < marked.size(); ++i) {
      const auto n = static_cast<std::int64_t>(i);
      const Point seen = centre_of(batch.images[n]);
      if (seen.x < 20 || seen.y < 20 || seen.x > 236 || seen.y > 236) continue;  // partly cut off
      // Annotations are pixel indices, half a picture pixel from the pixels' centres.
      const FaceRecord face = faces.record(n);
      Random random(mix(seed, i));
      random.below(static_cast<std::uint64_t>(faces.size()));
      const SamplePlan plan = vary(face, face.pixels, geometry_only(), 256, random);
      const float half = 0.5F * static_cast<float>(plan.crop_from_face.scale());
      const auto distance = [&](int landmark) {
        const torch::Tensor p = batch.landmarks[n][landmark] * 256;
        return std::hypot(p[0].item<float>() + half - seen.x, p[1].item<float>() + half - seen.y);
      };
      const bool flipped = is_mirrored(plan.crop_from_face);
      const int landmark = flipped ? database().flip_order[static_cast<std::size_t>(marked[i])] : marked[i];
      EXPECT_LT(distance(landmark), 0.15)
          << "landmark " << marked[i] << ", seed " << seed << (flipped ? ", mirrored" : "");
      mirrored += flipped;
      ++checked;
    }
  }
  EXPECT_GT(checked, 60);
  EXPECT_GT(mirrored, 20);
  EXPECT_LT(mirrored, checked - 20);
}

TEST_F(Augment, DependsOnSeedAndFaceAlone) {
  const FaceDataset faces = colourful_faces(5);
  const std::vector<std::int64_t> together = {4, 1, 3}, alone = {3};
  const Batch a = make_batch(faces, together, 9, strong_options(), config_, kCpu);
  const Batch b = make_batch(faces, alone, 9, strong_options(), config_, kCpu);
  EXPECT_TRUE(torch::equal(a.images[2], b.images[0]));
  EXPECT_TRUE(torch::equal(a.landmarks[2], b.landmarks[0]));
  EXPECT_TRUE(torch::equal(a.pose[2], b.pose[0]));
  const Batch other = make_batch(faces, alone, 10, strong_options(), config_, kCpu);
  EXPECT_FALSE(torch::equal(other.landmarks, b.landmarks));
  EXPECT_FALSE(torch::equal(other.images, b.images));
}

TEST_F(Augment, BatchHasTheShapesItPromises) {
  const FaceDataset faces = colourful_faces(3);
  config_.input_size = 128;
  const Batch batch = make_batch(faces, all_of(faces), 1, strong_options(), config_, kCpu);
  EXPECT_EQ(batch.images.sizes(), torch::IntArrayRef({3, 3, 128, 128}));
  EXPECT_TRUE(batch.images.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_GE(batch.images.min().item<float>(), 0);
  EXPECT_LE(batch.images.max().item<float>(), 1);
  EXPECT_EQ(batch.landmarks.sizes(), torch::IntArrayRef({3, 68, 2}));
  EXPECT_EQ(batch.visible.sizes(), torch::IntArrayRef({3, 68}));
  EXPECT_EQ(batch.pose.sizes(), torch::IntArrayRef({3, 6}));
  EXPECT_EQ(batch.has_pose.sum().item<float>(), 3);
}

TEST_F(Augment, PoseIsPositsOfTheLandmarksOnTheCrop) {
  const FaceDataset faces = colourful_faces(5);
  const Batch batch = make_batch(faces, all_of(faces), 5, geometry_only(), config_, kCpu);
  for (std::int64_t n = 0; n < faces.size(); ++n) {
    std::vector<geometry::Vector3> world;
    std::vector<Point> image;
    for (std::int64_t i = 0; i < 68; ++i)
      if (geometry::is_posit_landmark(database().ids[static_cast<std::size_t>(i)])) {
        world.push_back(database().world_points[static_cast<std::size_t>(i)]);
        image.push_back({batch.landmarks[n][i][0].item<float>(), batch.landmarks[n][i][1].item<float>()});
      }
    const HeadPose expected = geometry::head_pose_from_rigid(geometry::posit(world, image).value());
    EXPECT_NEAR(batch.pose[n][0].item<float>(), expected.yaw_deg, 1e-3);
    EXPECT_NEAR(batch.pose[n][2].item<float>(), expected.roll_deg, 1e-3);
    EXPECT_NEAR(batch.pose[n][5].item<float>(), expected.translation[2], 1e-3);
  }
}

TEST_F(Augment, AnnotatedPoseOfAProfileIsCarriedAlong) {
  FaceToPack half = mean_face("half", 30);
  const geometry::RigidPose before{geometry::rotation_from_angles(30, 5, -10), {0.02, -0.03, 2.8}};
  // Before the camera of the box's own crop, as annotations have it.
  const geometry::Affine crop =
      geometry::compose(geometry::crop_from_image(half.box, 1), {.xx = 180, .tx = 60, .yy = 180, .ty = 60});
  half.headpose = geometry::pose_in_other_crop(geometry::head_pose_from_rigid(before), crop);
  for (std::size_t i = 42; i < 48; ++i) half.visible[i] = 0;
  FaceWriter writer(path_.string(), "300wpublic", 68, {});
  const Image picture = colourful_picture(kPicture, kPicture);
  writer.add(half, picture.view());
  writer.finish();
  const FaceDataset faces = FaceDataset::open(path_.string());
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::int64_t only[] = {0};
    const Batch batch = make_batch(faces, only, seed, geometry_only(), config_, kCpu);
    std::vector<geometry::Vector3> world;
    std::vector<Point> image;
    for (std::int64_t i = 0; i < 68; ++i) {
      world.push_back(database().world_points[static_cast<std::size_t>(i)]);
      image.push_back({batch.landmarks[0][i][0].item<float>(), batch.landmarks[0][i][1].item<float>()});
    }
    const HeadPose expected = geometry::head_pose_from_rigid(geometry::posit(world, image).value());
    EXPECT_EQ(batch.has_pose.item<float>(), 1);
    EXPECT_NEAR(batch.pose[0][0].item<float>(), expected.yaw_deg, 4) << seed;
    EXPECT_NEAR(batch.pose[0][1].item<float>(), expected.pitch_deg, 4) << seed;
    EXPECT_NEAR(batch.pose[0][2].item<float>(), expected.roll_deg, 4) << seed;
    EXPECT_NEAR(batch.pose[0][5].item<float>(), expected.translation[2], 0.25) << seed;
  }
}

TEST_F(Augment, TooFewLandmarksGiveNoPose) {
  FaceToPack face = mean_face("a", 0);
  face.visible.assign(68, 0);
  face.visible[36] = face.visible[45] = face.visible[30] = 1;
  FaceWriter writer(path_.string(), "300wpublic", 68, {});
  writer.add(face, colourful_picture(kPicture, kPicture).view());
  writer.finish();
  const FaceDataset faces = FaceDataset::open(path_.string());
  const Batch batch = make_batch(faces, all_of(faces), 1, {}, config_, kCpu);
  EXPECT_EQ(batch.has_pose.item<float>(), 0);
  EXPECT_EQ(batch.pose.abs().sum().item<float>(), 0);
  EXPECT_EQ(batch.visible.sum().item<float>(), 3);
}

TEST_F(Augment, WithoutVariationItIsTheValidationCrop) {
  const FaceDataset faces = colourful_faces(4);
  const Batch varied = make_batch(faces, all_of(faces), 3, nothing(), config_, kCpu);
  const EvalBatch plain = make_eval_batch(faces, all_of(faces), config_, kCpu);
  EXPECT_TRUE(torch::allclose(varied.images, plain.batch.images, 0, 1e-4));
  EXPECT_TRUE(torch::allclose(varied.landmarks, plain.batch.landmarks, 0, 1e-6));
  EXPECT_TRUE(torch::allclose(varied.pose, plain.batch.pose, 0, 1e-2));
}

TEST_F(Augment, ValidationLeadsBackToThePicture) {
  for (const int max_side : {448, 200}) {
    const FaceDataset faces = colourful_faces(3, {.max_side = max_side});
    for (const EvalBox& box : {EvalBox{}, EvalBox{-0.04, -0.075, 1.02}}) {
      const EvalBatch eval = make_eval_batch(faces, all_of(faces), config_, kCpu, box);
      for (std::size_t n = 0; n < 3; ++n) {
        const FaceToPack truth = mean_face("", 10.0 * static_cast<double>(n) - 20);
        for (std::size_t i = 0; i < 68; i += 7) {
          const torch::Tensor p = eval.batch.landmarks[static_cast<long>(n)][static_cast<long>(i)] * 256;
          const Point back = eval.image_from_crop[n]({p[0].item<float>(), p[1].item<float>()});
          EXPECT_NEAR(back.x, truth.landmarks[i].x, 2e-3);
          EXPECT_NEAR(back.y, truth.landmarks[i].y, 2e-3);
        }
        const float side = std::max(truth.box.width, truth.box.height);
        EXPECT_NEAR(eval.image_from_crop[n].scale(), box.size * 1.6 * side / 256, 1e-4);
      }
    }
  }
}

TEST_F(Augment, ValidationTakesTheAnnotatedPose) {
  FaceToPack face = mean_face("a", 0);
  face.headpose = HeadPose{1, 2, 3, {4, 5, 6}};
  FaceWriter writer(path_.string(), "300wpublic", 68, {});
  writer.add(face, colourful_picture(kPicture, kPicture).view());
  writer.finish();
  const FaceDataset faces = FaceDataset::open(path_.string());
  const auto pose = [&](const EvalBox& box) {
    return make_eval_batch(faces, all_of(faces), config_, kCpu, box).batch.pose[0][0].item<float>();
  };
  EXPECT_EQ(pose({}), 1);
  EXPECT_NE(pose({.size = 1.1}), 1) << "it was annotated for another crop";
}

TEST_F(Augment, RefusesFacesOfAnotherDatabase) {
  const FaceDataset faces = colourful_faces(1);
  config_.database = "wflw";
  EXPECT_THROW(make_batch(faces, all_of(faces), 1, {}, config_, kCpu), Error);
}

// ---------------------------------------------------------------- drawing

// Shares of values that differ by more than 0.002 and the mean difference.
struct Difference {
  double share, mean;
};

Difference difference(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor d = (a - b).abs();
  return {(d > 2e-3).to(torch::kDouble).mean().item<double>(), d.mean().item<double>()};
}

std::vector<RenderJob> jobs_for(const FaceDataset& faces, const AugmentOptions& options, int count) {
  std::vector<RenderJob> jobs;
  for (int i = 0; i < count; ++i) {
    Random random(mix(77, static_cast<std::uint64_t>(i)));
    const FaceRecord face = faces.record(i % faces.size());
    const ImageView other = faces.record((i + 1) % faces.size()).pixels;
    jobs.push_back({vary(face, other, options, 256, random), face.pixels, other});
  }
  return jobs;
}

torch::Tensor draw_on_cpu(const std::vector<RenderJob>& jobs, int size = 256) {
  torch::Tensor images = torch::empty({static_cast<std::int64_t>(jobs.size()), size, size, 3});
  Renderer renderer;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    renderer.render(jobs[i], size, images[static_cast<std::int64_t>(i)].data_ptr<float>());
  return images.permute({0, 3, 1, 2});
}

struct Step {
  const char* name;
  AugmentOptions options;
  double share;  // of values that may differ: rounding and hues at the end of their range
};

class Rendering : public Augment, public testing::WithParamInterface<Step> {};

TEST_P(Rendering, LoopsAndTensorOperationsDrawTheSame) {
  const FaceDataset faces = colourful_faces(4);
  const std::vector<RenderJob> jobs = jobs_for(faces, GetParam().options, 12);
  const torch::Tensor a = draw_on_cpu(jobs), b = render_tensors(jobs, 256, kCpu);
  ASSERT_EQ(a.sizes(), b.sizes());
  const Difference d = difference(a, b);
  EXPECT_LE(d.share, GetParam().share);
  EXPECT_LT(d.mean, 2e-4);
  const torch::Tensor plain = draw_on_cpu(jobs_for(faces, geometry_only(), 12));
  if (std::string(GetParam().name) != "geometry") {
    EXPECT_GT(difference(a, plain).mean, 1e-3) << "the step did something";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Steps, Rendering,
    testing::Values(Step{"geometry", geometry_only(), 0},
                    Step{"occlusion", {.occlusion = 1, .occlusion_picture = 0.5, .hsv = 0, .blur = 0}, 0},
                    Step{"hsv", {.occlusion = 0, .hsv = 1, .blur = 0}, 1e-3},
                    Step{"cast", {.occlusion = 0, .hsv = 0, .cast = 1, .grey = 0.3, .blur = 0}, 0},
                    Step{"blur", {.occlusion = 0, .hsv = 0, .blur = 1}, 0},
                    Step{"noise", {.occlusion = 0, .hsv = 0, .blur = 0, .noise = 1}, 0},
                    Step{"jpeg", {.occlusion = 0, .hsv = 0, .blur = 0, .jpeg = 1}, 1e-2},
                    Step{"low_resolution", {.occlusion = 0, .hsv = 0, .blur = 0, .low_resolution = 1}, 0},
                    Step{"all", strong_options(), 1e-2}),
    [](const auto& step) { return std::string(step.param.name); });

// Bilinear sampling as its definition says, in double precision.
double sample(const ImageView& picture, double x, double y, int channel) {
  const double fx = std::floor(x - 0.5), fy = std::floor(y - 0.5);
  double sum = 0;
  for (int t = 0; t < 4; ++t) {
    const int px = static_cast<int>(fx) + t % 2, py = static_cast<int>(fy) + t / 2;
    if (px < 0 || py < 0 || px >= picture.width || py >= picture.height) continue;
    const double wx = t % 2 ? x - 0.5 - fx : 1 - (x - 0.5 - fx),
                 wy = t / 2 ? y - 0.5 - fy : 1 - (y - 0.5 - fy);
    sum += wx * wy * picture.data[py * picture.stride_bytes + 3 * px + channel] / 255.0;
  }
  return sum;
}

TEST_F(Augment, WarpSamplesBilinearlyWithZerosOutside) {
  const FaceDataset faces = colourful_faces(2);
  const std::vector<RenderJob> jobs = jobs_for(faces, geometry_only(), 4);
  const torch::Tensor images = draw_on_cpu(jobs);
  const auto pixels = images.accessor<float, 4>();
  for (std::size_t n = 0; n < jobs.size(); ++n) {
    const geometry::Affine& map = jobs[n].plan.face_from_canvas;
    for (int y = 0; y < 256; y += 5)
      for (int x = 0; x < 256; x += 3) {
        const double u = x + 0.5, v = y + 0.5;
        for (int c = 0; c < 3; ++c)
          ASSERT_NEAR(
              pixels[static_cast<long>(n)][c][y][x],
              sample(jobs[n].face, map.xx * u + map.xy * v + map.tx, map.yx * u + map.yy * v + map.ty, c),
              1e-5);
      }
  }
}

TEST_F(Augment, AMapOfOneToOneCopiesPixels) {
  const FaceDataset faces = colourful_faces(1);
  const FaceRecord face = faces.record(0);
  SamplePlan plan;
  plan.side = 64;
  plan.face_from_canvas = {1, 0, 20, 0, 1, 30};
  const torch::Tensor image = draw_on_cpu({{plan, face.pixels, face.pixels}}, 64)[0];
  for (const auto& [x, y] : {std::pair{0, 0}, {63, 63}, {11, 40}})
    for (int c = 0; c < 3; ++c)
      EXPECT_NEAR(image[c][y][x].item<float>() * 255,
                  face.pixels.data[(y + 30) * face.pixels.stride_bytes + 3 * (x + 20) + c], 1e-3);
}

TEST_F(Augment, ShrinkingByMoreThanTwoAverages) {
  const FaceDataset faces = colourful_faces(1);
  const FaceRecord face = faces.record(0);
  config_.input_size = 32;
  const EvalBatch eval = make_eval_batch(faces, all_of(faces), config_, kCpu);
  const SamplePlan plan = plain_plan(face, 32, face.box);
  ASSERT_GE(plan.supersample, 2);
  const geometry::Affine& map = plan.face_from_canvas;
  double expected = 0;
  for (int s = 0; s < plan.supersample * plan.supersample; ++s) {
    const double u = 12 + (s % plan.supersample + 0.5) / plan.supersample;
    const double v = 20 + (s / plan.supersample + 0.5) / plan.supersample;
    expected += sample(face.pixels, map.xx * u + map.tx, map.yy * v + map.ty, 1);
  }
  EXPECT_NEAR(eval.batch.images[0][1][20][12].item<double>(),
              expected / (plan.supersample * plan.supersample), 1e-5);
}

TEST(JpegSteps, AreThoseOfLibjpeg) {
  EXPECT_EQ(jpeg_steps(50, false)[0], 16);
  EXPECT_EQ(jpeg_steps(50, true)[63], 99);
  EXPECT_EQ(jpeg_steps(75, false)[0], 8);
  EXPECT_EQ(jpeg_steps(10, false)[63], 255);
  EXPECT_EQ(jpeg_steps(100, true)[5], 1);
}

TEST(Options, EveryOneIsListedAndInItsRange) {
  AugmentOptions options;
  int count = 0;
  for_each_option(options, [&](const char* name, double& value, double least, double most) {
    EXPECT_GE(value, least) << name;
    EXPECT_LE(value, most) << name;
    ++count;
  });
  EXPECT_EQ(count * sizeof(double), sizeof(AugmentOptions)) << "an option is missing from for_each_option";
}

}  // namespace
}  // namespace spiga::train
