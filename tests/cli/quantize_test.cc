// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/file.h"
#include "base/text.h"
#include "engine/calibration.h"
#include "model/model_file.h"
#include "scheme/scheme.h"
#include "support/model_files.h"
#include "support/run_program.h"
#include "weights/safetensors.h"

namespace spiga {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_program;

class Quantize : public ::testing::Test {
 protected:
  // Two faces of one picture, with landmarks anywhere.
  void SetUp() override {
    if (!engine::supports(engine::DataType::u8)) GTEST_SKIP() << "8 bits do not run here";
    testing::write_made_up_model(model_);
    cv::Mat picture(100, 120, CV_8UC3);
    cv::randu(picture, 0, 255);
    cv::imwrite(folder_.path() / "a.png", picture);
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

  Outcome quantize(std::vector<std::string> more) const {
    more.insert(more.begin(), {"quantize", model_});
    return run_program(SPIGA_PROGRAM, more);
  }

  const testing::TemporaryFolder folder_;
  const std::string model_ = folder_.path() / "m.safetensors";
  const std::string annotations_ = folder_.path() / "faces.json";
  const std::string output_ = folder_.path() / "m8.safetensors";
};

TEST_F(Quantize, WritesTheSameWeightsWithScalesThatInt8Needs) {
  EXPECT_THAT(run_program(SPIGA_PROGRAM, {"bench", model_, "--precision", "int8", "--time", "0"}).err,
              HasSubstr("m.safetensors: precision int8: found no scales"));
  const Outcome outcome = quantize({"--calibrate", annotations_, "-o", output_, "--sensitivity"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("samples           2\n"));
  EXPECT_THAT(outcome.out, HasSubstr("visual_cnn.hgs.0.low1\n")) << "its three layers together";
  const weights::SafetensorsFile before(model_), after(output_);
  ASSERT_EQ(after.tensors().size(), before.tensors().size());
  for (const weights::NamedTensor& tensor : before.tensors())
    EXPECT_TRUE(std::ranges::equal(after.find(tensor.name)->bytes, tensor.tensor.bytes)) << tensor.name;
  const model::Quantization scales = model::read_quantization(after);
  EXPECT_TRUE(scales.results.contains("visual_cnn.hgs.0.low1.bn1"));
  EXPECT_TRUE(scales.inputs.contains("conv_window.0"));
  EXPECT_EQ(model::read_info(after).provenance, "made up by a test");
  const Outcome bench = run_program(SPIGA_PROGRAM, {"bench", output_, "--precision", "int8", "--time", "0"});
  EXPECT_EQ(bench.status, 0) << bench.err;
  EXPECT_THAT(bench.out, HasSubstr("int8 on "));
  // The same pictures give the same scales, from the file with scales, too.
  const std::string again = folder_.path() / "again.safetensors";
  ASSERT_EQ(
      run_program(SPIGA_PROGRAM, {"quantize", output_, "--calibrate", annotations_, "-o", again}).status, 0);
  EXPECT_EQ(base::read_file(again), base::read_file(output_));
}

TEST_F(Quantize, LeavesOutWhatDiffersTooMuch) {
  const Outcome outcome =
      quantize({"--calibrate", annotations_, "-o", output_, "--most-difference", "0.0000001"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("left out "));
  const model::Quantization scales = model::read_quantization(weights::SafetensorsFile(output_));
  EXPECT_FALSE(scales.empty());
  EXPECT_LE(scales.results.size() + scales.inputs.size(), 3U) << "one block is left";
}

TEST_F(Quantize, NamesWhatItCannotUse) {
  const auto refused = [&](std::vector<std::string> more, int status) {
    const Outcome outcome = quantize(std::move(more));
    EXPECT_EQ(outcome.status, status) << outcome.out;
    EXPECT_FALSE(std::filesystem::exists(output_));
    return outcome.err;
  };
  const std::string absent = folder_.path() / "absent.pack";
  EXPECT_THAT(refused({"--calibrate", absent, "-o", output_}, 3), HasSubstr("absent.pack"));
  const std::string empty = folder_.path() / "empty";
  std::filesystem::create_directory(empty);
  EXPECT_THAT(refused({"--calibrate", empty, "-o", output_}, 4), HasSubstr("empty"));
  EXPECT_THAT(refused({"--calibrate", model_, "-o", output_}, 4), HasSubstr("m.safetensors"));
  EXPECT_THAT(refused({"-o", output_}, 2), HasSubstr("--calibrate"));
  EXPECT_THAT(refused({"--calibrate", annotations_, "--clipping", "x"}, 2), HasSubstr("--clipping"));
  EXPECT_THAT(refused({"--calibrate", annotations_, "--samples", "0"}, 2), HasSubstr("--samples"));
  std::filesystem::remove(folder_.path() / "a.png");
  EXPECT_THAT(refused({"--calibrate", annotations_, "-o", output_}, 3), HasSubstr("a.png"));
}

TEST_F(Quantize, DamagedScalesAreRefused) {
  const weights::SafetensorsFile file(model_);
  weights::Metadata metadata = file.metadata();
  metadata["spiga.int8"] = R"({"results": {"visual_cnn.nowhere": 0.5}})";
  weights::write_safetensors(output_, file.tensors(), metadata);
  const Outcome outcome =
      run_program(SPIGA_PROGRAM, {"bench", output_, "--precision", "int8", "--time", "0"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("m8.safetensors: metadata spiga.int8: results: visual_cnn.nowhere"));
}

}  // namespace
}  // namespace spiga
