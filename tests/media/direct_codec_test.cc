// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// The codec of libjpeg, libpng and libwebp beside OpenCV's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "base/file.h"
#include "media/jpeg_codec.h"
#include "media/picture_codec.h"
#include "media/picture_reader.h"
#include "support/error_of.h"
#include "support/picture_files.h"

namespace spiga::media {
namespace {

using spiga::testing::encoded;
using spiga::testing::error_of;
using spiga::testing::with_orientation;

Image decoded(const std::string& bytes) {
  return decode_picture({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "x");
}

cv::Mat decoded_by_opencv(const std::string& bytes) {
  const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data()));
  return cv::imdecode(file, cv::IMREAD_COLOR);
}

// The largest difference of two pictures; 256 where their sizes differ.
double difference(const Image& image, const cv::Mat& expected) {
  if (image.width() != expected.cols || image.height() != expected.rows) return 256;
  const cv::Mat pixels(image.height(), image.width(), CV_8UC3, const_cast<std::uint8_t*>(image.data()));
  return cv::norm(pixels, expected, cv::NORM_INF);
}

// Blurred noise: smooth enough for JPEG, and no two pixels alike.
cv::Mat picture(int type) {
  cv::Mat pixels(37, 61, type);
  cv::RNG random(5);
  random.fill(pixels, cv::RNG::UNIFORM, 0, pixels.depth() == CV_16U ? 65536 : 256);
  cv::GaussianBlur(pixels, pixels, {5, 5}, 0);
  return pixels;
}

TEST(DirectCodec, gives_the_pixels_that_opencv_gives) {
  const std::string photograph = base::read_file("samples/astronaut.jpg");
  EXPECT_EQ(difference(decoded(photograph), decoded_by_opencv(photograph)), 0);
  for (const char* extension : {".jpg", ".png", ".webp"}) {
    for (const int type : {CV_8UC1, CV_8UC3, CV_8UC4, CV_16UC1, CV_16UC3, CV_16UC4}) {
      const bool deep = CV_MAT_DEPTH(type) == CV_16U;
      if ((deep && std::string(extension) != ".png") ||
          (CV_MAT_CN(type) == 4 && std::string(extension) == ".jpg"))
        continue;
      const std::string file = encoded(picture(type), extension);
      EXPECT_EQ(difference(decoded(file), decoded_by_opencv(file)), 0) << extension << " " << type;
    }
  }
  std::vector<std::uint8_t> progressive;
  cv::imencode(".jpg", picture(CV_8UC3), progressive, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const std::string file(progressive.begin(), progressive.end());
  EXPECT_EQ(difference(decoded(file), decoded_by_opencv(file)), 0);
}

TEST(DirectCodec, turns_as_opencv_does) {
  const std::string jpeg = encoded(picture(CV_8UC3), ".jpg");
  for (int orientation = 0; orientation <= 9; ++orientation) {
    const std::string file = with_orientation(jpeg, orientation);
    EXPECT_EQ(difference(decoded(file), decoded_by_opencv(file)), 0) << orientation;
  }
}

// Reduced in the cosine transform: nearly the mean of the pixels.
TEST(JpegCodec, reduces_to_means) {
  const std::string file = base::read_file("samples/astronaut.jpg");
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  const cv::Mat whole = decoded_by_opencv(file);
  for (const int reduction : {1, 2, 4, 8}) {
    const Image image = codec::decode_jpeg(bytes, read_picture_header(bytes, "x"), "x", reduction);
    cv::Mat means;
    cv::resize(whole, means, {whole.cols / reduction, whole.rows / reduction}, 0, 0, cv::INTER_AREA);
    ASSERT_EQ(image.width(), means.cols);
    ASSERT_EQ(image.height(), means.rows);
    const cv::Mat pixels(image.height(), image.width(), CV_8UC3, const_cast<std::uint8_t*>(image.data()));
    const double error = cv::norm(pixels, means, cv::NORM_L1) / static_cast<double>(3 * means.total());
    EXPECT_LT(error, reduction == 1 ? 1e-9 : 1.5) << reduction;
  }
  const std::string odd = encoded(picture(CV_8UC3), ".jpg");  // 61 x 37
  const std::span odd_bytes(reinterpret_cast<const std::uint8_t*>(odd.data()), odd.size());
  const Image image = codec::decode_jpeg(odd_bytes, read_picture_header(odd_bytes, "x"), "x", 4);
  EXPECT_EQ(image.width(), 16);
  EXPECT_EQ(image.height(), 10);
}

TEST(JpegCodec, rows_are_those_of_the_whole) {
  const std::string file = base::read_file("samples/astronaut.jpg");
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  const cv::Mat whole = decoded_by_opencv(file);
  for (const auto& [first, count] : {std::pair{0, 512}, {0, 1}, {7, 90}, {128, 300}, {511, 1}}) {
    const Image rows = codec::decode_jpeg_rows(bytes, read_picture_header(bytes, "x"), "x", first, count);
    EXPECT_EQ(difference(rows, whole.rowRange(first, first + count)), 0) << first << " " << count;
  }
}

// Few colours, one bit a pixel: what OpenCV writes of two values.
TEST(DirectCodec, reads_bilevel_pngs) {
  cv::Mat grey = picture(CV_8UC1);
  std::vector<std::uint8_t> bytes;
  cv::imencode(".png", grey > 128, bytes, {cv::IMWRITE_PNG_BILEVEL, 1});
  const std::string file(bytes.begin(), bytes.end());
  EXPECT_EQ(difference(decoded(file), decoded_by_opencv(file)), 0);
}

TEST(DirectCodec, writes_what_opencv_reads) {
  const cv::Mat pixels = picture(CV_8UC3);
  Image image(pixels.cols, pixels.rows, PixelFormat::bgr8);
  pixels.copyTo(cv::Mat(pixels.rows, pixels.cols, CV_8UC3, image.data()));
  const auto written = [&](const char* extension) {
    const std::vector<std::uint8_t> bytes = codec::encode(image, extension, 92);
    return decoded_by_opencv({bytes.begin(), bytes.end()});
  };
  EXPECT_EQ(difference(image, written(".png")), 0);
  EXPECT_EQ(difference(image, written(".WebP")), 0);
  std::vector<std::uint8_t> jpeg;
  cv::imencode(".jpg", pixels, jpeg, {cv::IMWRITE_JPEG_QUALITY, 92});
  EXPECT_EQ(cv::norm(written(".jpg"), decoded_by_opencv({jpeg.begin(), jpeg.end()}), cv::NORM_INF), 0);
  const Error error = error_of([&] { codec::encode(image, ".bmp", 92); });
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_THAT(error.what(), ::testing::HasSubstr("SPIGA_WITH_IMGCODECS=OFF"));
}

}  // namespace
}  // namespace spiga::media
