// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/crop_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "support/error_of.h"

namespace spiga::vision {
namespace {

using geometry::Affine;

// A picture of noise with gaps between its rows.
struct Picture {
  Picture(int width, int height, PixelFormat format) : stride(width * channels_of(format) + 5) {
    std::mt19937 random(width * 31 + height);
    pixels.resize(static_cast<std::size_t>(stride) * height);
    for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random());
    view = {pixels.data(), width, height, stride, format};
  }
  int stride;
  std::vector<std::uint8_t> pixels;
  ImageView view;
};

double pixel(const ImageView& image, int x, int y, int bgr) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return 0;
  const std::uint8_t* at = image.data + y * image.stride_bytes + x * channels_of(image.format);
  const bool rgb = image.format == PixelFormat::rgb8 || image.format == PixelFormat::rgba8;
  return at[image.format == PixelFormat::gray8 ? 0 : rgb ? 2 - bgr : bgr] / 255.0;
}

// The definition of network.md, section 1, word by word, with inv() of the centre of crop pixel (u, v).
double naive(const ImageView& image, const Affine& image_from_crop, Sampling sampling, int u, int v,
             int bgr) {
  const double scale = image_from_crop.xx;
  const double x = scale * (u + 0.5) + image_from_crop.tx, y = scale * (v + 0.5) + image_from_crop.ty;
  const int column = static_cast<int>(std::floor(x)), row = static_cast<int>(std::floor(y));
  if (sampling == Sampling::nearest) return pixel(image, column, row, bgr);
  double sum = 0;
  if (scale <= 2) {
    const double fx = x - 0.5, fy = y - 0.5;
    const int x0 = static_cast<int>(std::floor(fx)), y0 = static_cast<int>(std::floor(fy));
    const double ax = fx - x0, ay = fy - y0;
    return (1 - ay) * ((1 - ax) * pixel(image, x0, y0, bgr) + ax * pixel(image, x0 + 1, y0, bgr)) +
           ay * ((1 - ax) * pixel(image, x0, y0 + 1, bgr) + ax * pixel(image, x0 + 1, y0 + 1, bgr));
  }
  const auto overlap = [scale](double centre, int j) {
    return std::max(0.0, std::min(j + 1.0, centre + scale / 2) - std::max(double(j), centre - scale / 2)) /
           scale;
  };
  const int reach = static_cast<int>(scale) + 2;
  for (int j = row - reach; j <= row + reach; ++j)
    for (int i = column - reach; i <= column + reach; ++i)
      sum += overlap(x, i) * overlap(y, j) * pixel(image, i, j, bgr);
  return sum;
}

struct Case {
  PixelFormat format;
  Box box;
};

class CropSamplerTwin : public ::testing::TestWithParam<Case> {};

TEST_P(CropSamplerTwin, agrees_with_the_definition) {
  constexpr int kSize = 32;
  const Picture picture(150, 110, GetParam().format);
  const Affine crop_from_image = geometry::crop_from_image(GetParam().box, kSize);
  for (const Sampling sampling : {Sampling::bilinear, Sampling::nearest}) {
    CropSampler sampler(kSize, sampling);
    std::vector<float> crop(kSize * kSize * 3, -1);
    sampler.sample(picture.view, crop_from_image, crop.data());
    const Affine back = geometry::inverse(crop_from_image);
    for (int v = 0; v < kSize; ++v)
      for (int u = 0; u < kSize; ++u)
        for (int c = 0; c < 3; ++c)
          ASSERT_NEAR(crop[(v * kSize + u) * 3 + c], naive(picture.view, back, sampling, u, v, c), 2e-6)
              << "u " << u << " v " << v << " channel " << c;
  }
}

INSTANTIATE_TEST_SUITE_P(
    formats_and_scales, CropSamplerTwin,
    ::testing::Values(Case{PixelFormat::bgr8, {60, 40, 30, 25}},         // shrinks by 1.5
                      Case{PixelFormat::rgb8, {60, 40, 6, 5.5f}},        // enlarges
                      Case{PixelFormat::bgra8, {-20, -30, 50, 44}},      // over the corner; by 2.5
                      Case{PixelFormat::rgba8, {100, 80, 90, 70}},       // over the other; by 4.5
                      Case{PixelFormat::gray8, {20, 10, 40.01f, 33}},    // just over 2
                      Case{PixelFormat::bgr8, {20, 10, 40, 33}},         // exactly 2
                      Case{PixelFormat::gray8, {-400, -300, 900, 800}},  // the picture is a spot
                      Case{PixelFormat::bgr8, {500, 500, 10, 10}},       // nothing of it in sight
                      Case{PixelFormat::rgb8, {70.3f, 50.7f, 0.01f, 0.01f}}));

TEST(CropSampler, takes_a_picture_of_one_pixel) {
  const std::uint8_t pixel[] = {255, 128, 0};
  CropSampler sampler(16, Sampling::bilinear);
  std::vector<float> crop(16 * 16 * 3);
  sampler.sample({pixel, 1, 1, 3, PixelFormat::bgr8}, geometry::crop_from_image({0, 0, 1, 1}, 16),
                 crop.data());
  const float* middle = &crop[(8 * 16 + 8) * 3];
  EXPECT_GT(middle[0], 0.9f);
  EXPECT_NEAR(middle[1], middle[0] * 128 / 255, 1e-6);
  EXPECT_EQ(middle[2], 0);
  EXPECT_LT(crop[0], 0.1f);
}

TEST(CropSampler, keeps_flat_colour_flat_at_every_scale) {
  const Image grey = [] {
    Image image(400, 400, PixelFormat::gray8);
    std::fill_n(image.data(), 400 * 400, std::uint8_t{51});
    return image;
  }();
  CropSampler sampler(64, Sampling::bilinear);
  std::vector<float> crop(64 * 64 * 3);
  for (const float side : {3.0f, 40.0f, 79.0f, 81.0f, 120.0f, 249.0f}) {
    sampler.sample(grey.view(), geometry::crop_from_image({200 - side / 2, 200 - side / 2, side, side}, 64),
                   crop.data());
    for (const float value : crop) ASSERT_NEAR(value, 0.2f, 1e-5) << side;
  }
}

TEST(CropSampler, refuses_what_it_cannot_sample) {
  CropSampler sampler(8, Sampling::bilinear);
  std::vector<float> crop(8 * 8 * 3);
  const Affine map = geometry::crop_from_image({0, 0, 1, 1}, 8);
  EXPECT_EQ(spiga::testing::error_of([&] { sampler.sample({}, map, crop.data()); }).code(),
            ErrorCode::invalid_argument);
  const Picture picture(4, 4, PixelFormat::bgr8);
  const Affine turned = geometry::rotation_about({2, 2}, 30);
  EXPECT_THAT(spiga::testing::error_of([&] { sampler.sample(picture.view, turned, crop.data()); }).what(),
              ::testing::HasSubstr("only shifts and scales"));
}

}  // namespace
}  // namespace spiga::vision
