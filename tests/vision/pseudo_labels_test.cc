// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/pseudo_labels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgcodecs.hpp>

#include "vision/image_mat.h"

namespace spiga::vision {
namespace {

class PseudoLabelsTest : public ::testing::Test {
 protected:
  const Landmarker landmarker_ = Landmarker::load("models/default.safetensors", {}, Precision::f32);
  cv::Mat picture_ = cv::imread("samples/astronaut.jpg");
  ImageView view_ = {picture_.data, picture_.cols, picture_.rows, static_cast<std::ptrdiff_t>(picture_.step),
                     PixelFormat::bgr8};
  Detection face_ = {.box = {181, 97, 80, 94}, .score = 3, .confidence = 0.97f};
};

TEST_F(PseudoLabelsTest, AreThoseOfTheBestQualityWithTheSpreadOfTheLooks) {
  const PseudoLabel label = PseudoLabeller(landmarker_).label(view_, std::span(&face_, 1)).at(0);
  EXPECT_FLOAT_EQ(label.confidence, 0.97f);

  Landmarker best(landmarker_.model(), {.quality = Quality::best}), once(landmarker_.model());
  const Face face = best.locate(view_, face_.box);
  ASSERT_EQ(label.landmarks.size(), 68u);
  float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
  for (std::size_t i = 0; i < 68; ++i) {
    EXPECT_EQ(label.landmarks[i].x, face.landmarks[i].x);
    EXPECT_EQ(label.landmarks[i].y, face.landmarks[i].y);
    x0 = std::min(x0, face.landmarks[i].x), x1 = std::max(x1, face.landmarks[i].x);
    y0 = std::min(y0, face.landmarks[i].y), y1 = std::max(y1, face.landmarks[i].y);
  }
  const float w = x1 - x0, h = y1 - y0;
  EXPECT_FLOAT_EQ(label.box.x, x0);
  EXPECT_FLOAT_EQ(label.box.height, h);

  std::vector<double> squares(68, 0);
  const float d = 0.05f;
  for (const Box& box : {Box{x0 + d * w, y0 + d * h, w, h}, Box{x0 - d * w, y0 + d * h, w, h},
                         Box{x0 + d * w, y0 - d * h, w, h}, Box{x0 - d * w, y0 - d * h, w, h},
                         Box{x0 + 0.04f * w, y0 + 0.04f * h, 0.92f * w, 0.92f * h},
                         Box{x0 - 0.04f * w, y0 - 0.04f * h, 1.08f * w, 1.08f * h}}) {
    const Face look = once.locate(view_, box);
    for (std::size_t i = 0; i < 68; ++i)
      squares[i] += std::pow(std::hypot(look.landmarks[i].x - face.landmarks[i].x,
                                        look.landmarks[i].y - face.landmarks[i].y),
                             2) /
                    6;
  }
  for (std::size_t i = 0; i < 68; ++i)
    EXPECT_NEAR(label.difference[i], std::sqrt(squares[i]) / std::sqrt(w * h), 1e-4) << i;
}

TEST_F(PseudoLabelsTest, DisagreeWhereThereIsNoFace) {
  const Detection cloth = {.box = {330, 380, 90, 90}};
  const std::vector<Detection> both = {face_, cloth};
  const std::vector<PseudoLabel> labels = PseudoLabeller(landmarker_).label(view_, both);
  double sums[2] = {};
  for (std::size_t f = 0; f < 2; ++f)
    for (const float difference : labels[f].difference) sums[f] += difference;
  EXPECT_GT(sums[1], 3 * sums[0]);
}

TEST_F(PseudoLabelsTest, OfNoFacesAreNone) {
  EXPECT_TRUE(PseudoLabeller(landmarker_).label(view_, {}).empty());
}

}  // namespace
}  // namespace spiga::vision
