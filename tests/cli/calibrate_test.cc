// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/text.h"
#include "scheme/scheme.h"
#include "support/model_files.h"
#include "support/run_program.h"

namespace spiga {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_program;

class Calibrate : public ::testing::Test {
 protected:
  // Two faces of one grey picture, with landmarks anywhere.
  void SetUp() override {
    testing::write_made_up_model(model_);
    cv::imwrite(folder_.path() / "a.png", cv::Mat(100, 120, CV_8UC3, cv::Scalar(90, 120, 150)));
    nlohmann::json faces;
    for (int face = 0; face < 2; ++face) {
      nlohmann::json& record = faces.emplace_back();
      record["imgpath"] = "a.png";
      record["bbox"] = {10 + face, 20, 60, 70};
      record["ids"] = scheme::find_database("300wpublic").ids;
      for (int i = 0; i < 68; ++i) record["landmarks"].push_back({20 + i % 9 * 5, 30 + i / 9 * 6 + face});
    }
    testing::overwrite(annotations_, faces.dump());
  }

  Outcome calibrate(std::vector<std::string> more) const {
    more.insert(more.begin(), {"calibrate", model_, annotations_, "--images", folder_.path().string()});
    return run_program(SPIGA_PROGRAM, more);
  }

  const testing::TemporaryFolder folder_;
  const std::string model_ = folder_.path() / "m.safetensors";
  const std::string annotations_ = folder_.path() / "faces.json";
};

TEST_F(Calibrate, WritesTheSameWeightsWithANewUncertainty) {
  const std::string output = folder_.path() / "calibrated.safetensors";
  const Outcome outcome = calibrate({"-o", output});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("136 of 2 faces"));
  const weights::SafetensorsFile before(model_), after(output);
  EXPECT_EQ(model::read_info(before).uncertainty, std::nullopt);
  const model::ModelInfo info = model::read_info(after);
  EXPECT_TRUE(info.uncertainty.has_value());
  EXPECT_EQ(info.provenance, "made up by a test");
  ASSERT_EQ(after.tensors().size(), before.tensors().size());
  for (const weights::NamedTensor& tensor : before.tensors()) {
    EXPECT_TRUE(std::ranges::equal(after.find(tensor.name)->bytes, tensor.tensor.bytes)) << tensor.name;
  }
}

TEST_F(Calibrate, NamesWhatItCannotRead) {
  std::filesystem::remove(folder_.path() / "a.png");
  const Outcome outcome = calibrate({});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("a.png"));
}

// What the shipped model is held to on faces that it was not trained on.
class DefaultModel : public ::testing::Test {
 protected:
  static constexpr const char* kModel = "models/default.safetensors";
  static constexpr const char* kFaces = "../shared/data/300w/valid.json";
  static constexpr const char* kImages = "../shared/data/300w";

  void SetUp() override {
    for (const char* path : {kModel, kFaces}) {
      if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
    }
  }

  nlohmann::json predictions(const std::string& precision) const {
    const std::string path = folder_.path() / (precision + ".json");
    const Outcome outcome = run_program(
        SPIGA_PROGRAM, {"evaluate", "--database", "300wpublic", "--annotations", kFaces, "--images", kImages,
                        "--model", kModel, "--precision", precision, "--threads", "1", "--save", path});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(base::read_file(path));
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(DefaultModel, UncertaintyRanksErrors) {
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"calibrate", kModel, kFaces, "--images", kImages});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::size_t end = outcome.out.find(" before");
  ASSERT_NE(end, std::string::npos) << outcome.out;
  const std::size_t begin = outcome.out.rfind(' ', end - 1);
  EXPECT_GT(std::stod(outcome.out.substr(begin, end - begin)), 0.3) << outcome.out;
}

TEST_F(DefaultModel, Bf16StaysWithinAQuarterPixelOfF32) {
  if (run_program(SPIGA_PROGRAM, {"bench", kModel, "--precision", "bf16", "--time", "0"}).status == 5) {
    GTEST_SKIP() << "no bf16 here";
  }
  const nlohmann::json exact = predictions("f32"), rounded = predictions("bf16");
  ASSERT_EQ(exact.size(), rounded.size());
  double sum = 0, count = 0;
  for (std::size_t face = 0; face < exact.size(); ++face) {
    const auto& box = exact[face]["bbox"];
    const double crop_pixels = 256 / (1.6 * std::max(box[2].get<double>(), box[3].get<double>()));
    for (std::size_t i = 0; i < exact[face]["landmarks"].size(); ++i) {
      const auto& a = exact[face]["landmarks"][i];
      const auto& b = rounded[face]["landmarks"][i];
      sum += crop_pixels *
             std::hypot(a[0].get<double>() - b[0].get<double>(), a[1].get<double>() - b[1].get<double>());
      ++count;
    }
  }
  EXPECT_GT(count, 10000);
  EXPECT_LT(sum / count, 0.25);
  EXPECT_GT(sum, 0) << "bf16 was not used";
}

}  // namespace
}  // namespace spiga
