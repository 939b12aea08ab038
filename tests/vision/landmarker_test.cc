// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/landmarker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <thread>

#include "base/file.h"
#include "model/session.h"
#include "scheme/scheme.h"
#include "support/error_of.h"
#include "support/model_files.h"
#include "support/temporary_folder.h"
#include "vision/crop_sampler.h"

namespace spiga {
namespace {

using spiga::testing::error_of;
using ::testing::HasSubstr;

Image noise(int width, int height) {
  Image image(width, height, PixelFormat::bgr8);
  std::mt19937 random(7);
  for (int i = 0; i < width * height * 3; ++i) image.data()[i] = static_cast<std::uint8_t>(random());
  return image;
}

bool same_bits(const Face& a, const Face& b) {
  return a.landmarks.size() == b.landmarks.size() && a.uncertainty == b.uncertainty &&
         std::memcmp(a.landmarks.data(), b.landmarks.data(), a.landmarks.size() * sizeof(Point)) == 0 &&
         std::memcmp(&a.headpose, &b.headpose, sizeof(HeadPose)) == 0;
}

class LandmarkerTest : public ::testing::Test {
 protected:
  LandmarkerTest() { spiga::testing::write_made_up_model(model_); }

  Landmarker load(const LandmarkerOptions& options = {}) const {
    return Landmarker::load(model_, options, Precision::f32);
  }

  spiga::testing::TemporaryFolder folder_;
  const std::string model_ = (folder_.path() / "model.safetensors").string();
  const Image picture_ = noise(200, 150);
  const std::vector<Box> boxes_ = {
      {20, 30, 60, 50}, {100, 20, 40, 80}, {-10, -20, 80, 70}, {150, 100, 90, 90}, {60, 60, 25, 20}};
};

TEST_F(LandmarkerTest, says_what_it_finds) {
  const Landmarker landmarker = load({.max_batch = 3});
  EXPECT_EQ(landmarker.database(), "300wpublic");
  EXPECT_EQ(landmarker.landmark_count(), 68);
  EXPECT_EQ(landmarker.landmark_ids(), scheme::find_database("300wpublic").ids);
  EXPECT_EQ(landmarker.model().precision(), Precision::f32);
  EXPECT_EQ(landmarker.options().max_batch, 3);
}

// The landmarker is crop, network, and the way back: done here by hand.
TEST_F(LandmarkerTest, brings_the_networks_answer_back_to_the_picture) {
  const Box box = boxes_[0];
  const Face face = load().locate(picture_.view(), box);
  model::Session session(model::CompiledNetwork::load(model_, Precision::f32),
                         {.threads = 1, .max_batch = 1});
  const int size = session.network().config().input_size;
  vision::CropSampler(size, Sampling::bilinear)
      .sample(picture_.view(), geometry::crop_from_image(box, size), session.input(1).data());
  session.run(1);
  const float side = 1.6f * 60, left = 50 - side / 2, top = 55 - side / 2;
  ASSERT_EQ(face.landmarks.size(), 68u);
  ASSERT_EQ(face.uncertainty.size(), 68u);
  for (int i = 0; i < 68; ++i) {
    EXPECT_NEAR(face.landmarks[i].x, left + side * session.landmarks()[2 * i], 1e-3);
    EXPECT_NEAR(face.landmarks[i].y, top + side * session.landmarks()[2 * i + 1], 1e-3);
    EXPECT_NEAR(face.uncertainty[i], side * session.uncertainty()[i], 1e-3);
  }
  EXPECT_EQ(face.headpose.yaw_deg, session.pose()[0]);
  EXPECT_EQ(face.headpose.roll_deg, session.pose()[2]);
  EXPECT_EQ(face.headpose.translation[2], session.pose()[5]);
  EXPECT_EQ(face.box.x, box.x);
  EXPECT_EQ(face.box.height, box.height);
  EXPECT_EQ(face.score, 1);
}

TEST_F(LandmarkerTest, a_batch_says_the_same_as_one_by_one) {
  Landmarker batched = load({.max_batch = 2}), single = load();
  const std::vector<Face> faces = batched.locate(picture_.view(), boxes_);
  ASSERT_EQ(faces.size(), boxes_.size());
  for (std::size_t i = 0; i < boxes_.size(); ++i) {
    const Face alone = single.locate(picture_.view(), boxes_[i]);
    for (int k = 0; k < 68; ++k) {
      EXPECT_NEAR(faces[i].landmarks[k].x, alone.landmarks[k].x, 1e-3) << i;
      EXPECT_NEAR(faces[i].landmarks[k].y, alone.landmarks[k].y, 1e-3) << i;
    }
  }
}

TEST_F(LandmarkerTest, batches_faces_of_several_pictures_and_keeps_scores) {
  const Image other = noise(90, 90);
  const FaceRequest requests[] = {{picture_.view(), boxes_[0], 0.25f}, {other.view(), {20, 20, 40, 40}, 2}};
  Landmarker landmarker = load();
  const std::vector<Face> faces = landmarker.locate(requests);
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_EQ(faces[0].score, 0.25f);
  EXPECT_EQ(faces[1].score, 2);
  const Face alone = landmarker.locate(other.view(), {20, 20, 40, 40});
  EXPECT_NEAR(faces[1].landmarks[33].x, alone.landmarks[33].x, 1e-3);
  const Detection detection{boxes_[1], 0.5f};
  EXPECT_EQ(landmarker.locate(picture_.view(), std::span(&detection, 1)).at(0).score, 0.5f);
}

TEST_F(LandmarkerTest, no_box_is_no_face) {
  EXPECT_TRUE(load().locate(picture_.view(), std::span<const Box>()).empty());
}

TEST_F(LandmarkerTest, copies_give_the_same_bits_in_parallel_threads) {
  Landmarker original = load();
  std::vector<Face> expected;
  for (const Box& box : boxes_) expected.push_back(original.locate(picture_.view(), box));
  std::vector<std::thread> threads;
  std::vector<int> different(4, -1);
  for (std::size_t t = 0; t < different.size(); ++t)
    threads.emplace_back([&, t, copy = original]() mutable {
      different[t] = 0;
      for (int round = 0; round < 10; ++round)
        for (std::size_t i = 0; i < boxes_.size(); ++i)
          if (!same_bits(copy.locate(picture_.view(), boxes_[i]), expected[i])) ++different[t];
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(different, ::testing::Each(0));
}

TEST_F(LandmarkerTest, sampling_is_a_choice) {
  Landmarker bilinear = load(), nearest = load({.sampling = Sampling::nearest});
  const Face a = bilinear.locate(picture_.view(), boxes_[4]), b = nearest.locate(picture_.view(), boxes_[4]);
  EXPECT_FALSE(same_bits(a, b));
}

TEST_F(LandmarkerTest, refuses_boxes_before_it_computes_anything) {
  Landmarker landmarker = load();
  const auto message_of = [&](const Box& box) {
    const Error error = error_of([&] {
      landmarker.locate(picture_.view(), std::vector<Box>{boxes_[0], box});
    });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return std::string(error.what());
  };
  EXPECT_THAT(message_of({NAN, 0, 10, 10}),
              HasSubstr("box [nan, 0.000000, 10.000000, 10.000000]: expected finite"));
  EXPECT_THAT(message_of({0, 0, INFINITY, 10}), HasSubstr("expected finite numbers"));
  EXPECT_THAT(message_of({0, 0, 0, 10}), HasSubstr("sides longer than 0"));
  EXPECT_THAT(message_of({0, 0, 5, -1}), HasSubstr("sides longer than 0"));
  EXPECT_THAT(message_of({200, 10, 5, 5}), HasSubstr("lies outside the picture of 200 x 150"));
  EXPECT_THAT(message_of({10, -20, 5, 20}), HasSubstr("outside"));
  EXPECT_THAT(message_of({10, 10, 200000, 5}), HasSubstr("more than 1000 times the picture"));
  EXPECT_THAT(error_of([&] { landmarker.locate({}, boxes_[0]); }).what(), HasSubstr("no pixels"));
}

TEST_F(LandmarkerTest, survives_boxes_of_every_size) {
  Landmarker landmarker = load();
  for (const Box& box :
       {Box{0, 0, 1e-3f, 1e-3f}, Box{-4e4f, -4e4f, 1e5f, 1e5f}, Box{199.9f, 149.9f, 1e-6f, 4}})
    EXPECT_EQ(landmarker.locate(picture_.view(), box).landmarks.size(), 68u);
}

TEST_F(LandmarkerTest, names_the_file_that_is_no_model) {
  const std::string absent = (folder_.path() / "absent.safetensors").string();
  EXPECT_EQ(error_of([&] { Landmarker::load(absent); }).code(), ErrorCode::not_found);
  base::write_file(absent, "not a model");
  const Error error = error_of([&] { Landmarker::load(absent); });
  EXPECT_EQ(error.code(), ErrorCode::bad_data);
  EXPECT_THAT(error.what(), HasSubstr("absent.safetensors"));
}

}  // namespace
}  // namespace spiga
