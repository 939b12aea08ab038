// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <random>

#include "base/file.h"
#include "media/picture_header.h"
#include "support/error_of.h"
#include "support/picture_files.h"
#include "support/temporary_folder.h"

namespace spiga::media {
namespace {

using spiga::testing::bad_data_of;
using spiga::testing::encoded;
using spiga::testing::error_of;
using spiga::testing::quarters;
using spiga::testing::with_orientation;
using ::testing::HasSubstr;
using ::testing::StartsWith;

#if SPIGA_HAS_IMGCODECS
constexpr const char* kFormats[] = {".jpg", ".png", ".bmp", ".webp", ".tiff", ".ppm"};
#else
constexpr const char* kFormats[] = {".jpg", ".png", ".webp"};
#endif

Image decode(const std::string& bytes, const PictureLimits& limits = {}) {
  return decode_picture({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "x.jpg", limits);
}

// The letter of the quarter's colour at a place given in eighths of the sides.
char colour_at(const Image& image, int x8, int y8) {
  const std::uint8_t* p =
      image.data() + image.height() * y8 / 8 * image.stride_bytes() + image.width() * x8 / 8 * 3;
  return p[0] > 128 ? (p[1] > 128 ? 'w' : 'b') : (p[1] > 128 ? 'g' : 'r');
}

std::string quarter_letters(const Image& image) {
  return {colour_at(image, 2, 2), colour_at(image, 6, 2), colour_at(image, 2, 6), colour_at(image, 6, 6)};
}

TEST(PictureReader, reads_every_format) {
  for (const char* extension : kFormats) {
    const Image image = decode(encoded(quarters(40, 24), extension));
    EXPECT_EQ(image.width(), 40) << extension;
    EXPECT_EQ(image.height(), 24) << extension;
    EXPECT_EQ(image.format(), PixelFormat::bgr8);
    EXPECT_EQ(quarter_letters(image), "bgrw") << extension;
  }
}

// What each EXIF orientation shows of blue, green / red, white (EXIF 2.3, section 4.6.4).
TEST(PictureReader, turns_by_exif_orientation) {
  const std::array<const char*, 9> expected = {"",     "bgrw", "gbwr", "wrgb", "rwbg",
                                               "brgw", "rbwg", "wgrb", "gwbr"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image image = decode(with_orientation(encoded(quarters(64, 32), ".jpg"), orientation));
    EXPECT_EQ(image.width(), orientation < 5 ? 64 : 32) << orientation;
    EXPECT_EQ(quarter_letters(image), expected[orientation]) << orientation;
  }
}

TEST(PictureReader, makes_grey_alpha_and_16_bits_bgr8) {
  const cv::Mat grey(5, 7, CV_8UC1, cv::Scalar(90));
  const cv::Mat deep(5, 7, CV_16UC3, cv::Scalar(0x1234, 0x8000, 0xFFFF));
  const cv::Mat deep_grey(5, 7, CV_16UC1, cv::Scalar(0x8000));
  const cv::Mat alpha(5, 7, CV_8UC4, cv::Scalar(10, 200, 30, 128));
  const auto first = [](const Image& image) {
    return std::array{image.data()[0], image.data()[1], image.data()[2]};
  };
  using Bgr = std::array<std::uint8_t, 3>;
  EXPECT_EQ(first(decode(encoded(grey, ".png"))), (Bgr{90, 90, 90}));
  EXPECT_EQ(first(decode(encoded(deep, ".png"))), (Bgr{0x12, 0x80, 0xFF}));
#if SPIGA_HAS_IMGCODECS
  EXPECT_EQ(first(decode(encoded(deep, ".tiff"))), (Bgr{0x12, 0x80, 0xFF}));
#endif
  EXPECT_EQ(first(decode(encoded(deep_grey, ".png"))), (Bgr{0x80, 0x80, 0x80}));
  EXPECT_EQ(first(decode(encoded(alpha, ".png"))), (Bgr{10, 200, 30}));
}

#if !SPIGA_HAS_IMGCODECS
TEST(PictureReader, names_the_option_of_formats_that_are_left_out) {
  const Error error = error_of([] { decode(encoded(quarters(4, 4), ".bmp")); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_THAT(error.what(), ::testing::EndsWith("SPIGA_WITH_IMGCODECS=OFF"));
}
#endif

TEST(PictureReader, reads_tiny_and_long_pictures) {
  EXPECT_EQ(decode(encoded(cv::Mat(1, 1, CV_8UC3, cv::Scalar(1, 2, 3)), ".png")).data()[2], 3);
  EXPECT_EQ(decode(encoded(cv::Mat(1, 20000, CV_8UC1, cv::Scalar(7)), ".png")).width(), 20000);
}

TEST(PictureReader, says_where_a_picture_is_cut_short) {
  cv::Mat noise(60, 80, CV_8UC3);
  cv::randu(noise, 0, 255);
  for (const char* extension : {".jpg", ".png", ".webp"}) {
    const std::string whole = encoded(noise, extension);
    for (const std::size_t kept : {whole.size() / 2, whole.size() - 20, whole.size() / 9}) {
      const std::string message = bad_data_of([&] { decode(whole.substr(0, kept)); });
      EXPECT_THAT(message, StartsWith("x.jpg: the picture is cut short: the file ends at byte " +
                                      std::to_string(kept)));
    }
  }
}

TEST(PictureReader, refuses_what_is_no_picture) {
  EXPECT_EQ(bad_data_of([] { decode(""); }), "x.jpg: the file is empty");
  EXPECT_THAT(bad_data_of([] { decode("hello, world"); }), StartsWith("x.jpg: not a picture (JPEG, PNG, "));
  EXPECT_THAT(bad_data_of([] { decode(std::string("\xFF\xD8\xFF\xE0\0\0", 6)); }),
              HasSubstr("segment without length"));
  EXPECT_THAT(bad_data_of([] { decode("P6\n0 4\n255\n"); }), HasSubstr("no size: 0 x 4"));
  const spiga::testing::TemporaryFolder folder;
  const Error absent = error_of([&] { read_picture(folder.path() / "absent.png"); });
  EXPECT_EQ(absent.code(), ErrorCode::not_found);
  EXPECT_THAT(absent.what(), HasSubstr("absent.png"));
  EXPECT_THROW(read_picture(folder.path()), Error);
}

TEST(PictureReader, refuses_bombs_before_decoding_them) {
  std::string png = encoded(quarters(16, 16), ".png");
  png[16] = 0x7F;  // the width's highest byte
  const Error huge = error_of([&] { decode(png); });
  EXPECT_EQ(huge.code(), ErrorCode::unsupported);
  EXPECT_THAT(huge.what(), HasSubstr("pixels are more than the limit"));
  for (const char* extension : kFormats) {
    const std::string file = encoded(quarters(30, 20), extension);
    EXPECT_EQ(error_of([&] { decode(file, {.max_pixels = 599}); }).code(), ErrorCode::unsupported)
        << extension;
    EXPECT_EQ(decode(file, {.max_pixels = 600}).width(), 30) << extension;
  }
  const spiga::testing::TemporaryFolder folder;
  base::write_file(folder.path() / "a.png", png);
  EXPECT_EQ(error_of([&] { read_picture(folder.path() / "a.png", {.max_file_bytes = 10}); }).code(),
            ErrorCode::bad_data);
}

// A figure of /proc/self/status in kilobytes.
long status_kb(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stol(line.substr(name.size() + 1));
  return -1;
}

TEST(PictureReader, decoded_pixels_are_in_memory_once) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's own memory counts";
#endif
  constexpr int kSide = 3000;
  constexpr long kPixelsKb = 3L * kSide * kSide / 1024;
  const std::string file = encoded(cv::Mat(kSide, kSide, CV_8UC3, cv::Scalar(9, 90, 200)), ".jpg");
  std::ofstream("/proc/self/clear_refs") << "5" << std::flush;  // the peak counts from here
  const long before = status_kb("VmRSS");
  ASSERT_LT(status_kb("VmHWM"), before + 2000);
  EXPECT_EQ(decode(file).width(), kSide);
  EXPECT_GT(status_kb("VmHWM") - before, kPixelsKb * 9 / 10);
  EXPECT_LT(status_kb("VmHWM") - before, kPixelsKb * 3 / 2);
}

TEST(PictureReader, a_tiff_says_its_size_once) {
  std::string file = encoded(quarters(30, 20), ".tiff");
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(file[at]));
  };
  ASSERT_EQ(file[0], 'I');
  const std::size_t first = (byte(4) | byte(5) << 8 | byte(6) << 16) + 2,
                    last = first + 12 * (byte(first - 2) - 1);
  const std::size_t width = byte(first) == 0 ? first : first + 12;  // tag 256, alone or behind 254
  ASSERT_EQ(byte(width) | byte(width + 1) << 8, 256U);
  std::memcpy(&file[last], &file[width], 12);
  EXPECT_EQ(bad_data_of([&] { decode(file); }), "x.jpg: not a TIFF: it says its size twice");
}

TEST(PictureReader, ignores_what_only_makes_noise) {
  const std::string png = encoded(quarters(8, 8), ".png");
  // A colour profile that libpng would complain of, and a checksum that nobody looks at.
  const std::string chunk("\0\0\0\x06iCCPab\0\0xx\1\2\3\4", 18);
  const std::string noisy = png.substr(0, 33) + chunk + png.substr(33);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(quarter_letters(decode(noisy)), "bgrw");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

// Whatever the bytes are, the reader ends with a picture or an Error.
TEST(PictureReader, survives_damaged_files) {
  std::mt19937 random(3);
  ::testing::internal::CaptureStderr();  // libjpeg and libpng say what they think
  int read = 0, refused = 0;
  for (const char* extension : kFormats) {
    const std::string whole = encoded(quarters(30, 20), extension);
    for (int trial = 0; trial < 300; ++trial) {
      std::string bytes = whole.substr(0, trial % 3 ? whole.size() : random() % whole.size());
      for (int change = 0; change < 3 && !bytes.empty(); ++change)
        bytes[random() % std::min<std::size_t>(bytes.size(), trial % 2 ? 64 : bytes.size())] =
            static_cast<char>(random());
      try {
        decode(bytes, {.max_pixels = 1 << 22});
        ++read;
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  ::testing::internal::GetCapturedStderr();
  const int files = 300 * static_cast<int>(std::size(kFormats));
  EXPECT_EQ(read + refused, files);
  EXPECT_GT(read, files / 18);
  EXPECT_GT(refused, files / 6);
}

TEST(PictureHeader, knows_pictures_by_extension) {
  EXPECT_TRUE(has_picture_extension("a.JPG"));
  EXPECT_TRUE(has_picture_extension("b.c.webp"));
  EXPECT_FALSE(has_picture_extension("a.txt"));
  EXPECT_FALSE(has_picture_extension("jpg"));
}

}  // namespace
}  // namespace spiga::media
