// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::train {
namespace {

using testing::Contains;
using testing::HasSubstr;

// A face of 68 points on a picture of 200 x 200, as an entry of a SPIGA JSON file.
std::string entry(const std::string& image, int points = 68, const std::string& replacement = "") {
  const scheme::Database& database = scheme::find_database("300wpublic");
  std::ostringstream ids, landmarks, visible;
  for (int i = 0; i < points; ++i) {
    const char* comma = i ? ", " : "";
    ids << comma << database.ids[static_cast<std::size_t>(i)];
    if (i == 3 && !replacement.empty())
      landmarks << comma << replacement;
    else
      landmarks << comma << "[" << 60 + i % 9 * 8 << ", " << 60 + i / 9 * 9 << "]";
    visible << comma << 1;
  }
  return "{\"imgpath\": \"" + image + "\", \"bbox\": [60, 60, 64, 63], \"headpose\": null, \"ids\": [" +
         ids.str() + "], \"landmarks\": [" + landmarks.str() + "], \"visible\": [" + visible.str() + "]}";
}

class Pack : public testing::Test {
 protected:
  Pack() : folder_(std::filesystem::temp_directory_path() / ("spiga_pack_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    events_.read_picture = [this](const std::filesystem::path& path) {
      ++pictures_read_;
      if (path.filename() == "missing.jpg")
        throw Error(ErrorCode::not_found, path.string() + ": cannot be opened");
      if (path.filename() == "full.jpg") throw Error(ErrorCode::io, "no space left on device");
      return Image(200, 200, PixelFormat::bgr8);
    };
    events_.on_bad_record = [this](const std::string& message) { messages_.push_back(message); };
  }
  ~Pack() override { std::filesystem::remove_all(folder_); }

  PackResult pack(const std::string& json) {
    base::write_file(folder_ / "faces.json", json);
    return pack_annotations({{folder_ / "faces.json", {}}}, "300wpublic", folder_ / "faces.pack", {},
                            events_);
  }

  std::filesystem::path folder_;
  PackEvents events_;
  std::vector<std::string> messages_;
  int pictures_read_ = 0;
};

TEST_F(Pack, NamesAndSkipsBadRecords) {
  const PackResult result = pack("[" + entry("good.jpg") + ", " + entry("missing.jpg") + ", " +
                                 entry("outside.jpg", 68, "[500, 20]") + ", " +
                                 entry("nan.jpg", 68, "[\"NaN\", 20]") + ", " + entry("also_good.jpg") + "]");
  EXPECT_EQ(result.packed, 2);
  EXPECT_EQ(result.skipped, 3);
  ASSERT_EQ(messages_.size(), 3U);
  EXPECT_THAT(messages_, Contains(testing::AllOf(HasSubstr("missing.jpg"), HasSubstr("cannot be opened"))));
  EXPECT_THAT(messages_, Contains(testing::AllOf(HasSubstr("outside.jpg"), HasSubstr("landmark 3"))));
  const FaceDataset faces = FaceDataset::open((folder_ / "faces.pack").string());
  ASSERT_EQ(faces.size(), 2);
  EXPECT_EQ(faces.record(1).name, "also_good.jpg");
}

TEST_F(Pack, LandmarksThatAreNotListedAreNotVisible) {
  EXPECT_EQ(pack("[" + entry("half.jpg", 40) + "]").packed, 1);
  const FaceDataset faces = FaceDataset::open((folder_ / "faces.pack").string());
  EXPECT_EQ(faces.landmarks(), 68);
  EXPECT_EQ(faces.record(0).visible[39], 1);
  EXPECT_EQ(faces.record(0).visible[40], 0);
}

TEST_F(Pack, ReadsAPictureOnceForFacesThatFollowEachOther) {
  std::string second = entry("a.jpg");
  second.replace(second.find("[60, 60, 64, 63]"), 16, "[59, 60, 64, 63]");
  EXPECT_EQ(pack("[" + entry("a.jpg") + ", " + second + ", " + entry("b.jpg") + "]").packed, 3);
  EXPECT_EQ(pictures_read_, 2);
}

TEST_F(Pack, AnEmptySetIsAnErrorAndLeavesNoFile) {
  for (const std::string& json : {std::string("[]"), "[" + entry("missing.jpg") + "]"}) {
    EXPECT_THROW(pack(json), Error);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "faces.pack"));
  }
}

TEST_F(Pack, WhatIsNoFaultOfARecordStops) {
  EXPECT_THROW(pack("[" + entry("full.jpg") + "]"), Error);
  EXPECT_THROW(
      pack_annotations({{folder_ / "absent.json", {}}}, "300wpublic", folder_ / "x.pack", {}, events_),
      Error);
  EXPECT_THROW(pack_annotations({}, "nobody", folder_ / "x.pack", {}, events_), Error);
}

}  // namespace
}  // namespace spiga::train
