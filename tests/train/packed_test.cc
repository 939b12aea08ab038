// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/packed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "base/file.h"
#include "spiga/error.h"

namespace spiga::train {
namespace {

using testing::HasSubstr;

constexpr int kLandmarks = 5;

Image noise_picture(int width, int height, PixelFormat format = PixelFormat::bgr8) {
  Image image(width, height, format);
  std::mt19937 random(7);
  for (std::ptrdiff_t i = 0; i < image.stride_bytes() * height; ++i)
    image.data()[i] = static_cast<std::uint8_t>(random());
  return image;
}

FaceToPack some_face(const std::string& name = "a.jpg") {
  return {.name = name,
          .box = {60, 50, 40, 50},
          .landmarks = {{60, 50}, {100, 50}, {80, 75.25F}, {60, 100}, {100, 100}},
          .visible = {1, 1, 0, 1, 1},
          .headpose = HeadPose{1, 2, 3, {4, 5, 6}}};
}

class Packed : public testing::Test {
 protected:
  Packed() : folder_(std::filesystem::temp_directory_path() / ("spiga_packed_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Packed() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name = "faces.pack") const { return (folder_ / name).string(); }

  void write(const PackOptions& options = {}, const ImageView* picture = nullptr) const {
    const Image own = noise_picture(200, 160);
    FaceWriter writer(path(), "300wpublic", kLandmarks, options);
    writer.add(some_face(), picture ? *picture : own.view());
    FaceToPack other = some_face("b/ä.jpg");
    other.headpose.reset();
    other.box = {150, 120, 50, 40};
    writer.add(other, picture ? *picture : own.view());
    writer.finish();
  }

  // What opening these bytes says; empty where it says nothing.
  std::string complaint(const std::string& bytes) const {
    std::ofstream(path("broken.pack"), std::ios::binary) << bytes;
    try {
      const FaceDataset faces = FaceDataset::open(path("broken.pack"));
      for (std::int64_t i = 0; i < faces.size(); ++i) touch(faces.record(i));
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_data);
      EXPECT_THAT(error.what(), HasSubstr("broken.pack"));
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
      return error.what();
    }
  }

  // Reads everything a record points to, so that a wild pointer shows.
  static void touch(const FaceRecord& face) {
    volatile float sum = 0;
    for (const Point& p : face.landmarks) sum = sum + p.x + p.y;
    for (const float v : face.visible) sum = sum + v;
    for (const char c : face.name) sum = sum + static_cast<float>(c);
    for (int y = 0; y < face.pixels.height; ++y)
      for (int x = 0; x < 3 * face.pixels.width; ++x)
        sum = sum + static_cast<float>(face.pixels.data[y * face.pixels.stride_bytes + x]);
  }

  std::filesystem::path folder_;
};

TEST_F(Packed, KeepsPixelsAndLabels) {
  const Image picture = noise_picture(200, 160);
  const ImageView view = picture.view();
  write({}, &view);
  const FaceDataset faces = FaceDataset::open(path());
  ASSERT_EQ(faces.size(), 2);
  EXPECT_EQ(faces.landmarks(), kLandmarks);
  EXPECT_EQ(faces.database(), "300wpublic");
  const FaceRecord face = faces.record(0);
  const FaceToPack given = some_face();
  EXPECT_EQ(face.name, "a.jpg");
  EXPECT_EQ(faces.record(1).name, "b/ä.jpg");
  EXPECT_FLOAT_EQ(face.box.height, 50);
  EXPECT_THAT(face.visible, testing::ElementsAre(1, 1, 0, 1, 1));
  ASSERT_TRUE(face.headpose.has_value());
  EXPECT_FLOAT_EQ(face.headpose->translation[2], 6);
  EXPECT_FALSE(faces.record(1).headpose.has_value());
  // 2.4 x 50 = 120 around (80, 75): from (20, 15).
  EXPECT_EQ(face.pixels.width, 120);
  EXPECT_EQ(face.pixels.height, 120);
  EXPECT_DOUBLE_EQ(face.crop_from_image.scale(), 1);
  for (std::size_t i = 0; i < given.landmarks.size(); ++i) {
    EXPECT_FLOAT_EQ(face.landmarks[i].x, given.landmarks[i].x - 20);
    EXPECT_FLOAT_EQ(face.landmarks[i].y, given.landmarks[i].y - 15);
  }
  for (const auto& [x, y] : {std::pair{0, 0}, {119, 119}, {33, 77}})
    for (int c = 0; c < 3; ++c)
      EXPECT_EQ(face.pixels.data[y * face.pixels.stride_bytes + 3 * x + c],
                view.data[(y + 15) * view.stride_bytes + 3 * (x + 20) + c]);
  // The second face hangs over the picture's corner: only what is there is stored.
  EXPECT_EQ(faces.record(1).pixels.width, 200 - 115);
  EXPECT_EQ(faces.record(1).pixels.height, 160 - 80);
  EXPECT_EQ(faces.largest_side(), 120);
}

TEST_F(Packed, ShrinksLargeFacesByAreaAveraging) {
  const Image picture = noise_picture(200, 160);
  const ImageView view = picture.view();
  write({.margin = 2.4, .max_side = 40}, &view);  // 120 -> 40: each pixel is the mean of 3 x 3
  const FaceDataset faces = FaceDataset::open(path());
  const FaceRecord face = faces.record(0);
  ASSERT_EQ(face.pixels.width, 40);
  EXPECT_NEAR(face.crop_from_image.scale(), 1.0 / 3, 1e-12);
  EXPECT_FLOAT_EQ(face.landmarks[2].x, (80.0F - 20) / 3);
  for (const auto& [x, y] : {std::pair{0, 0}, {39, 39}, {7, 22}})
    for (int c = 0; c < 3; ++c) {
      double sum = 0;
      for (int i = 0; i < 9; ++i)
        sum += view.data[(15 + 3 * y + i / 3) * view.stride_bytes + 3 * (20 + 3 * x + i % 3) + c];
      EXPECT_EQ(face.pixels.data[y * face.pixels.stride_bytes + 3 * x + c], std::lround(sum / 9));
    }
}

TEST_F(Packed, TakesEveryPixelFormat) {
  const Image bgr = noise_picture(200, 160);
  Image rgba(200, 160, PixelFormat::rgba8), gray = noise_picture(200, 160, PixelFormat::gray8);
  for (int i = 0; i < 200 * 160; ++i)
    for (int c = 0; c < 3; ++c) rgba.data()[4 * i + c] = bgr.data()[3 * i + 2 - c];
  const ImageView bgr_view = bgr.view(), rgba_view = rgba.view(), gray_view = gray.view();
  write({}, &bgr_view);
  const std::string from_bgr = base::read_file(path());
  write({}, &rgba_view);
  EXPECT_TRUE(from_bgr == base::read_file(path()))
      << "the same picture in another channel order packs otherwise";
  write({}, &gray_view);
  const FaceDataset faces = FaceDataset::open(path());
  const FaceRecord face = faces.record(0);
  for (int c = 0; c < 3; ++c) EXPECT_EQ(face.pixels.data[c], gray_view.data[15 * 200 + 20]);
}

TEST_F(Packed, CopiesShareTheFileAndOutliveTheOriginal) {
  write();
  std::optional<FaceDataset> first = FaceDataset::open(path());
  const FaceDataset copy = *first;
  first.reset();
  std::filesystem::remove(path());
  touch(copy.record(1));
  EXPECT_THROW(copy.record(2), Error);
  EXPECT_THROW(copy.record(-1), Error);
}

TEST_F(Packed, RefusesBadFacesAndGoesOn) {
  const Image picture = noise_picture(200, 160);
  FaceWriter writer(path(), "300wpublic", kLandmarks, {});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto refused = [&](auto&& spoil, const char* field) {
    FaceToPack face = some_face();
    spoil(face);
    try {
      writer.add(face, picture.view());
      ADD_FAILURE() << "taken in spite of its " << field;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_data);
      EXPECT_THAT(error.what(), HasSubstr(field));
    }
  };
  refused([](FaceToPack& f) { f.landmarks.pop_back(); }, "landmarks: expected 5, found 4");
  refused([](FaceToPack& f) { f.visible.pop_back(); }, "visibilities");
  refused([&](FaceToPack& f) { f.landmarks[3].y = nan; }, "landmark 3");
  refused([](FaceToPack& f) { f.landmarks[4] = {240, 10}; }, "landmark 4: expected a place in the picture");
  refused([](FaceToPack& f) { f.landmarks[4] = {10, -20}; }, "landmark 4: expected a place in the picture");
  refused([](FaceToPack& f) { f.box = {10, 10, 0, 0}; }, "box");
  refused([&](FaceToPack& f) { f.box.x = nan; }, "box");
  refused([](FaceToPack& f) { f.box.x = 5000; }, "box");
  refused([&](FaceToPack& f) { f.headpose->pitch_deg = nan; }, "headpose");
  writer.add(some_face("good.jpg"), picture.view());
  writer.finish();
  const FaceDataset faces = FaceDataset::open(path());
  ASSERT_EQ(faces.size(), 1);
  EXPECT_EQ(faces.record(0).name, "good.jpg");
}

TEST_F(Packed, WritesNoFileWithoutFaces) {
  FaceWriter writer(path(), "300wpublic", kLandmarks, {});
  EXPECT_THROW(writer.finish(), Error);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(Packed, RefusesSillyOptions) {
  EXPECT_THROW(FaceWriter(path(), "300wpublic", 0, {}), Error);
  EXPECT_THROW(FaceWriter(path(), "300wpublic", 68, {.margin = 0.5}), Error);
  EXPECT_THROW(FaceWriter(path(), "300wpublic", 68, {.max_side = 2}), Error);
}

// ---------------------------------------------------------------- damaged files

template <typename T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <typename T>
T get(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

TEST_F(Packed, NamesWhatIsWrongWithAFile) {
  write();
  const std::string good = base::read_file(path());
  ASSERT_EQ(complaint(good), "");
  EXPECT_THAT(complaint(""), HasSubstr("a shorter file"));
  EXPECT_THAT(complaint("SPIGAPAK"), HasSubstr("a shorter file"));
  EXPECT_THAT(complaint(std::string(500, 'x')), HasSubstr("something else"));
  std::string bytes = good;
  put<std::uint32_t>(bytes, 8, 2);
  EXPECT_THAT(complaint(bytes), HasSubstr("version: expected 1, found 2"));
  EXPECT_THAT(complaint(good.substr(0, good.size() - 1)), HasSubstr("cut short"));
  EXPECT_THAT(complaint(good.substr(0, good.size() / 2)), HasSubstr("cut short"));
  EXPECT_THROW(FaceDataset::open(path("absent.pack")), Error);
  EXPECT_THROW(FaceDataset::open(folder_.string()), Error);
}

// The tail's fields, then fields of the first record, each set to numbers that lead astray.
TEST_F(Packed, RefusesOffsetsAndSizesOutOfRange) {
  write();
  const std::string good = base::read_file(path());
  const std::size_t tail = good.size() - 64;
  const std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
  const auto records = get<std::uint64_t>(good, tail + 16);
  for (const std::size_t field : {0U, 8U, 16U, 24U, 32U, 40U})
    for (const std::uint64_t value :
         {huge, huge / 2, std::uint64_t{good.size()}, std::uint64_t{good.size() - 63}}) {
      std::string bytes = good;
      put(bytes, tail + field, value);
      EXPECT_NE(complaint(bytes), "") << "tail field at " << field << " set to " << value;
    }
  for (const std::size_t field : {0U, 8U}) {  // pixels and name
    std::string bytes = good;
    put(bytes, records + field, huge - 5);
    EXPECT_NE(complaint(bytes), "") << "record field at " << field;
  }
  for (const std::size_t field : {40U, 44U, 48U}) {  // width, height, length of the name
    std::string bytes = good;
    put<std::uint32_t>(bytes, records + field, 0xFFFFFFFF);
    EXPECT_NE(complaint(bytes), "") << "record field at " << field;
    put<std::uint32_t>(bytes, records + field, 10000);
    EXPECT_NE(complaint(bytes), "") << "record field at " << field;
  }
  for (const std::size_t field : {16U, 24U, 32U}) {  // scale and shift
    std::string bytes = good;
    put(bytes, records + field, std::numeric_limits<double>::quiet_NaN());
    EXPECT_NE(complaint(bytes), "") << "record field at " << field;
  }
  for (const std::size_t field :
       {56U, 68U, 72U, 96U, 96U + 8 * kLandmarks}) {  // box, pose, landmarks, visibility
    std::string bytes = good;
    put(bytes, records + field, std::numeric_limits<float>::infinity());
    EXPECT_NE(complaint(bytes), "") << "record field at " << field;
  }
}

TEST_F(Packed, RefusesAWrongText) {
  write();
  const std::string good = base::read_file(path());
  const auto text = get<std::uint64_t>(good, good.size() - 64);
  const std::string json = good.substr(text, get<std::uint64_t>(good, good.size() - 56));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    bytes.replace(text + json.find(from), to.size(), to);
    return complaint(bytes);
  };
  EXPECT_THAT(with("{", "["), HasSubstr("text"));
  EXPECT_THAT(with("\"landmarks\":5", "\"landmarks\":0"), HasSubstr("landmarks"));
  EXPECT_THAT(with("\"landmarks\":5", "\"landmarkz\":5"), HasSubstr("landmarks"));
  EXPECT_NE(with("\"landmarks\":5", "\"landmarks\":9"), "") << "records of another length";
}

// Whatever bytes are changed: an Error or a readable file, never a crash.
TEST_F(Packed, SurvivesRandomDamage) {
  write({.max_side = 16});
  const std::string good = base::read_file(path());
  const auto index = get<std::uint64_t>(good, good.size() - 64);
  std::mt19937_64 random(11);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (std::uint64_t i = 0; i <= round % 3U; ++i)
      bytes[index + random() % (bytes.size() - index)] = static_cast<char>(random());
    if (round % 7 == 0) bytes.resize(random() % bytes.size());
    refused += !complaint(bytes).empty();
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace spiga::train
