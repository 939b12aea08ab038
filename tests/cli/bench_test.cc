// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/calibration.h"
#include "support/model_files.h"
#include "support/run_program.h"

namespace spiga {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_program;

class Bench : public ::testing::Test {
 protected:
  nlohmann::json bench(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), {"--json", "--time", "0"});
    const Outcome outcome = run_program(SPIGA_PROGRAM, arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return nlohmann::json::parse(outcome.out);
  }

  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() / "m.safetensors";
};

TEST_F(Bench, MeasuresAModelFile) {
  testing::write_made_up_model(path_);
  const nlohmann::json json = bench({path_, "--batch", "2", "--layers"});
  EXPECT_EQ(json["network"], "300wpublic");
  EXPECT_EQ(json["batch"], 2);
  EXPECT_GT(json["ms_per_face"]["best"], 0);
  EXPECT_GE(json["ms_per_face"]["median"], json["ms_per_face"]["best"]);
  EXPECT_GT(json["peak_gmac_per_s"], 0);
  double sum = 0;
  for (const nlohmann::json& layer : json["layers"]) {
    sum += layer["ms"].get<double>();
    EXPECT_THAT(layer["implementation"].get<std::string>(), Not(HasSubstr("ref")));
  }
  EXPECT_GT(sum, 0);
}

TEST_F(Bench, PrintsATable) {
  testing::write_made_up_model(path_);
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"bench", path_, "--time", "0", "--layers"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("measured peak"));
  EXPECT_THAT(outcome.out, HasSubstr("visual_cnn.pre.2.conv1"));
}

TEST_F(Bench, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run_program(SPIGA_PROGRAM, {"bench", "--config", "huge"}).status, 2);
  EXPECT_EQ(run_program(SPIGA_PROGRAM, {"bench", "m.safetensors", "--config", "default"}).status, 2);
  EXPECT_EQ(run_program(SPIGA_PROGRAM, {"bench", path_}).status, 3);
}

TEST_F(Bench, TellsWhereTheTimeOfPicturesGoes) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"})
    std::filesystem::copy_file("samples/astronaut.jpg", folder_.path() / name);
  const Outcome outcome =
      run_program(SPIGA_PROGRAM, {"bench", "--end-to-end", folder_.path(), "--threads", "2", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["pictures"], 3);
  EXPECT_EQ(json["faces"], 3);
  EXPECT_NEAR(json["megapixels_per_picture"].get<double>(), 0.262, 0.001);
  EXPECT_GT(json["pictures_per_s"], 0);
  double sum = 0;
  for (const char* part : {"decode", "detect", "locate", "output"}) {
    EXPECT_GT(json["ms_per_picture"][part], 0) << part;
    sum += json["ms_per_picture"][part].get<double>();
  }
  EXPECT_LE(sum, 1.05 * json["processor_ms_per_picture"].get<double>());
  testing::overwrite(folder_.path() / "d.jpg", "no picture");
  const Outcome table = run_program(SPIGA_PROGRAM, {"bench", "--end-to-end", folder_.path()});
  EXPECT_EQ(table.status, 1);
  EXPECT_THAT(table.err, HasSubstr("d.jpg"));
  EXPECT_THAT(table.out, HasSubstr("pictures/s"));
  EXPECT_THAT(table.out, HasSubstr("1 failed"));
  const testing::TemporaryFolder empty;
  EXPECT_EQ(run_program(SPIGA_PROGRAM, {"bench", "--end-to-end", empty.path()}).status, 3);
  EXPECT_EQ(run_program(SPIGA_PROGRAM, {"bench", "--end-to-end", empty.path(), "--layers"}).status, 2);
}

// The published size in bf16, file included.
TEST_F(Bench, FullNetworkFitsIn300Megabytes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's own memory counts as resident";
#endif
  if (!engine::supports(engine::DataType::bf16)) GTEST_SKIP() << "no bf16 here";
  testing::write_made_up_model(path_, model::named_config("wflw-full"));
  const nlohmann::json json = bench({path_, "--precision", "bf16"});
  EXPECT_LT(json["most_resident_mb"], 300);
  EXPECT_GT(json["most_resident_mb"], json["weights_mb"]);
}

TEST(Info, SaysWhatIsInAModelFile) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() / "m.safetensors";
  testing::write_made_up_model(path);
  const Outcome text = run_program(SPIGA_PROGRAM, {"info", path});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("made up by a test"));
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"info", path, "--json", "--tensors"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["database"], "300wpublic");
  EXPECT_EQ(json["landmark_ids"].size(), 68U);
  EXPECT_EQ(json["storage"], "F32");
  EXPECT_EQ(json["tensor_list"].size(), json["tensors"].get<std::size_t>());
  EXPECT_EQ(json["config"]["width"], testing::tiny_network().width);
}

TEST(Info, NamesTheFileThatIsNoModel) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() / "m.safetensors";
  testing::overwrite(path, "nonsense");
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"info", path});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, ::testing::MatchesRegex("spiga: [^\n]*m.safetensors: [^\n]*\n"));
}

}  // namespace
}  // namespace spiga
