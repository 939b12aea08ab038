// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/exit_status.h"
#include "scheme/scheme.h"
#include "support/model_files.h"
#include "support/picture_files.h"
#include "support/run_program.h"
#include "support/temporary_folder.h"

namespace spiga::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Outcome;

// Mean faces, 100 pixels wide in the middle of pictures of 200 x 200, moved to the right.
json faces(int count, double moved = 0) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  json list = json::array();
  for (int i = 0; i < count; ++i) {
    json landmarks = json::array();
    for (const scheme::Point3& point : database.mean_face) {
      landmarks.push_back({100 + 50 * point[0] + moved * (1 + i % 2), 100 - 50 * point[1]});
    }
    list.push_back({{"imgpath", std::to_string(i) + ".png"},
                    {"bbox", {50, 50, 100, 100}},
                    {"headpose", nullptr},
                    {"ids", database.ids},
                    {"landmarks", landmarks},
                    {"visible", std::vector<double>(68, 1.0)}});
  }
  return list;
}

class EvaluateCommand : public ::testing::Test {
 protected:
  EvaluateCommand() { write("truth.json", faces(3)); }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void write(const std::string& name, const json& content) const {
    testing::overwrite(folder_.path() / name, content.dump());
  }
  void write_pictures() const {
    for (int i = 0; i < 3; ++i) {
      testing::overwrite(folder_.path() / (std::to_string(i) + ".png"),
                         testing::encoded(testing::quarters(200, 200), ".png"));
    }
  }
  Outcome evaluate(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"evaluate", "--database", "300wpublic", "--annotations",
                                          path("truth.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run_program(SPIGA_PROGRAM, arguments);
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(EvaluateCommand, PrintsFiguresAndWhatWasUsed) {
  write("near.json", faces(3, 1));
  const Outcome outcome = evaluate({"--predictions", path("near.json")});
  EXPECT_EQ(outcome.status, kDone) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("near on 300wpublic: 3 faces used of 3 annotated, 0 missed"),
                                 HasSubstr("exact AUC")));
}

TEST_F(EvaluateCommand, PrintsJsonWithDifferences) {
  write("near.json", faces(3, 1));
  write("far.json", faces(3, 4));
  const Outcome outcome =
      evaluate({"--predictions", path("near.json"), "--compare", "other=" + path("far.json"), "--json"});
  ASSERT_EQ(outcome.status, kDone) << outcome.err;
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["methods"].size(), 2u);
  EXPECT_EQ(report["methods"][1]["method"], "other");
  EXPECT_NEAR(report["differences"][0]["nme_difference"].get<double>(),
              3 * report["methods"][0]["full"]["nme"].get<double>(), 1e-9);
}

TEST_F(EvaluateCommand, RunsAModelWritesItsPredictionsAndAReport) {
  write_pictures();
  testing::write_made_up_model(path("tiny.safetensors"));
  const Outcome outcome = evaluate({"--model", path("tiny.safetensors"), "--images", folder_.path(),
                                    "--batch", "2", "--report", path("report")});
  ASSERT_EQ(outcome.status, kDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("tiny, annotated boxes on 300wpublic: 3 faces used of 3"));
  const json predictions = json::parse(base::read_file(path("report/results_300wpublic.json")));
  ASSERT_EQ(predictions.size(), 3u);
  EXPECT_EQ(predictions[2]["imgpath"], "2.png");
  EXPECT_EQ(predictions[2]["landmarks"].size(), 68u);
  EXPECT_EQ(predictions[2]["headpose"].size(), 6u);
  EXPECT_THAT(base::read_file(path("report/report.html")), HasSubstr("data:image/jpeg;base64,"));
  EXPECT_TRUE(json::parse(base::read_file(path("report/metrics.json"))).contains("methods"));
  // What was written can be evaluated again, and gives the same.
  const Outcome again = evaluate({"--predictions", path("report/results_300wpublic.json"), "--json"});
  const json first = json::parse(base::read_file(path("report/metrics.json")));
  EXPECT_EQ(json::parse(again.out)["methods"][0]["full"], first["methods"][0]["full"]);
}

TEST_F(EvaluateCommand, DegradesPicturesTheSameEveryTime) {
  write_pictures();
  testing::write_made_up_model(path("tiny.safetensors"));
  const auto degraded = [&](const std::string& names) {
    const Outcome outcome = evaluate({"--model", path("tiny.safetensors"), "--images", folder_.path(),
                                      "--save", path("saved.json"), "--json", "--degrade", names});
    EXPECT_EQ(outcome.status, kDone) << outcome.err;
    return json::parse(outcome.out)["methods"][0]["degradations"];
  };
  const json first = degraded("noise,roll=90:180");
  EXPECT_EQ(first["faces"], 3);
  EXPECT_EQ(first["curves"]["noise"]["scores"].size(), 5u);
  EXPECT_EQ(first["curves"]["noise"]["middle"], 32);
  EXPECT_EQ(first["curves"]["roll"]["scores"][1]["strength"], 180);
  EXPECT_EQ(first, degraded("noise,roll=90:180"));
}

// What the shipped model is held to in every copy of the project: one face, marked by hand, as it is, turned,
// and made worse in the middle strengths.
TEST_F(EvaluateCommand, ShippedModelHoldsOnTheSample) {
  const Outcome outcome = testing::run_program(
      SPIGA_PROGRAM,
      {"evaluate", "--database", "300wpublic", "--annotations", "samples/astronaut.json", "--images",
       "samples", "--model", "models/default.safetensors", "--quality", "normal", "--degrade",
       "roll,blur,noise,darkness,jpeg,size,occlusion", "--json", "--save", path("saved.json")});
  ASSERT_EQ(outcome.status, kDone) << outcome.err;
  const json curves = json::parse(outcome.out)["methods"][0]["degradations"];
  EXPECT_LT(curves["clean"]["nme"], 1.7);
  for (const json& turned : curves["curves"]["roll"]["scores"]) EXPECT_LT(turned["nme"], 1.9) << turned;
  for (const auto& [name, curve] : curves["curves"].items()) {
    for (const json& score : curve["scores"])
      if (score["strength"] == curve["middle"]) EXPECT_LT(score["nme"], 4) << name;
  }
}

TEST_F(EvaluateCommand, FacesThatTheDetectorMissesAreReported) {
  write_pictures();
  testing::write_made_up_model(path("tiny.safetensors"));
  const Outcome outcome = evaluate({"--model", path("tiny.safetensors"), "--images", folder_.path(),
                                    "--boxes", "detector", "--save", path("saved.json")});
  ASSERT_EQ(outcome.status, kDone) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("3 faces used of 3 annotated, 3 missed"), HasSubstr("100.000")));
  EXPECT_TRUE(json::parse(base::read_file(path("saved.json")))[0]["landmarks"].empty());
}

TEST_F(EvaluateCommand, RefusesBadInputInOneLine) {
  const auto refused = [&](int status, const std::vector<std::string>& arguments, const std::string& reason) {
    const Outcome outcome = evaluate(arguments);
    EXPECT_EQ(outcome.status, status) << reason;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, AllOf(::testing::MatchesRegex("spiga: [^\n]*\n"), HasSubstr(reason)));
  };
  refused(kUsage, {}, "expected --predictions");
  refused(kUsage, {"--model", "m"}, "--images");
  refused(kNotFound, {"--predictions", path("absent.json")}, "absent.json");
  refused(kUsage, {"--images", folder_.path(), "--degrade", "fog"}, "degrade: expected all, blur");
  refused(kUsage, {"--predictions", path("truth.json"), "--degrade"}, "--degrade runs a model");
  write("near.json", faces(3, 1));
  refused(kNotFound, {"--predictions", path("near.json"), "--report", "/proc/x"},
          "/proc/x: cannot make this folder");
  refused(kNotFound, {"--predictions", path(std::string(5000, 'x'))}, "File name too long");
  testing::overwrite(folder_.path() / "broken.json", "[\n{\"imgpath\" 3}]");
  refused(kBadData, {"--predictions", path("broken.json")}, "line 2, column 12");
  write("short.json", faces(2));
  refused(kBadData, {"--predictions", path("short.json")}, "expected 3 predictions");
  json twice = faces(3);
  twice[2] = twice[1];
  write("twice.json", twice);
  refused(kBadData, {"--predictions", path("twice.json")}, "listed twice");
  json unknown = faces(3);
  unknown[1]["ids"][5] = 4000;
  write("unknown.json", unknown);
  refused(kBadData, {"--predictions", path("unknown.json")},
          "face 1 (1.png): ids: the database has no landmark 4000");
  write("truth.json", faces(3, 0));
  refused(kUsage, {"--predictions", path("short.json"), "--norm", "eyes"}, "expected corners");
}

}  // namespace
}  // namespace spiga::cli
