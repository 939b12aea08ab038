// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "eval/evaluation.h"

// The authors' predictions through our evaluator must give every figure of the authors' evaluator's output.
namespace spiga::eval {
namespace {

namespace fs = std::filesystem;

using Figures = std::map<std::string, std::vector<double>>;

// Every number of a metrics file under its path, such as "landmarks/subset/helen/nme"; text values are left
// out but for nme_norm, which is checked against `norm`.
Figures parse_metrics(const fs::path& path, std::string& norm) {
  const std::string text = base::read_file(path);
  Figures figures;
  std::vector<std::string> inside;
  for (std::string_view raw : base::split(text, '\n')) {
    const std::string_view line = base::trim(raw);
    if (line.empty()) continue;
    if (line.ends_with('{')) {
      inside.emplace_back(base::trim(line.substr(0, line.size() - 1)));
      continue;
    }
    if (line == "}") {
      inside.pop_back();
      continue;
    }
    const std::size_t colon = line.find(':');
    EXPECT_NE(colon, std::string_view::npos) << "not understood: " << line;
    const std::string name = base::join(inside, "/").substr(std::string("Metrics/").size()) + "/" +
                             std::string(line.substr(0, colon));
    std::string_view value = base::trim(line.substr(colon + 1));
    if (name == "landmarks/nme_norm") {
      norm = std::string(value);
      continue;
    }
    if (value.starts_with('[')) value = value.substr(1, value.size() - 2);
    for (std::string_view word : base::split(value, ',')) {
      const std::optional<double> number = base::parse_double(base::trim(word));
      EXPECT_TRUE(number.has_value()) << "not a number: " << line;
      figures[name].push_back(number.value_or(0));
    }
  }
  return figures;
}

void add_set(const std::string& path, const SetScores& scores, Figures& figures) {
  figures[path + "nme"] = {scores.nme.mean};
  figures[path + "nme_p90"] = {scores.nme.p90};
  figures[path + "nme_p95"] = {scores.nme.p95};
  figures[path + "nme_p99"] = {scores.nme.p99};
  figures[path + "auc"] = {scores.published.auc};
  figures[path + "fr"] = {scores.published.failure_rate};
}

// Our figures under the names of the metrics files.
Figures our_figures(const Evaluation& evaluation) {
  Figures figures;
  add_set("landmarks/", evaluation.whole, figures);
  figures["landmarks/nme_thr"] = {evaluation.threshold};
  for (const SetScores& subset : evaluation.subsets)
    add_set("landmarks/subset/" + subset.name + "/", subset, figures);
  for (const LandmarkScores& landmark : evaluation.landmarks) {
    const std::string id = std::to_string(landmark.id);
    figures["landmarks/nme_per_ldm/" + id] = {landmark.nme.mean};
    figures["landmarks/npe90_per_ldm/" + id] = {landmark.nme.p90};
    figures["landmarks/npe95_per_ldm/" + id] = {landmark.nme.p95};
    figures["landmarks/npe99_per_ldm/" + id] = {landmark.nme.p99};
  }
  const HeadPoseScores& pose = evaluation.head_pose.value();
  figures["headpose/mae_mean"] = {pose.mean_absolute_error};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const AngleScores& angle = pose.angles[axis];
    figures["headpose/mae_ypr"].push_back(angle.mean_absolute_error);
    figures["headpose/acc_label"].push_back(angle.label_accuracy);
    figures["headpose/acc_adj_label"].push_back(angle.adjacent_accuracy);
    for (std::size_t i = 0; i < kPoseLimits.size(); ++i) {
      figures[std::string("headpose/sr_") + kAngleNames[axis] + "/" + base::concat(kPoseLimits[i])] = {
          angle.success[i]};
    }
  }
  return figures;
}

class PublishedMetrics : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedMetrics, EveryFigureComesOut) {
  const std::string name = GetParam();
  const fs::path folder = "../shared/reference/published/" + name;
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not here";
  const scheme::Database& database = scheme::find_database(name);
  const annotations::ReadOptions read{.database_ids = database.ids};
  const annotations::FaceList truth = annotations::read(folder / "test.json", read);
  const annotations::FaceList predictions =
      annotations::read(folder / ("results_" + name + "_test.json"), read);
  const Evaluation evaluation = evaluate(database, truth, predictions);

  std::string norm;
  const Figures expected = parse_metrics(folder / ("metrics_" + name + "_test.txt"), norm);
  const Figures ours = our_figures(evaluation);
  EXPECT_EQ(evaluation.norm, norm);
  EXPECT_GT(expected.size(), 290u) << "the metrics file was not read to its end";
  for (const auto& [path, values] : expected) {
    ASSERT_TRUE(ours.contains(path)) << path;
    ASSERT_EQ(ours.at(path).size(), values.size()) << path;
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(ours.at(path)[i], values[i], 1e-6 * std::abs(values[i])) << path << " [" << i << "]";
    }
  }
  for (const auto& [path, values] : ours)
    EXPECT_TRUE(expected.contains(path)) << path << " is not in the file";
}

INSTANTIATE_TEST_SUITE_P(Sets, PublishedMetrics, ::testing::Values("300wpublic", "300wprivate", "cofw68"));

}  // namespace
}  // namespace spiga::eval
