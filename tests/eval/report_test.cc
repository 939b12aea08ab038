// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "eval/html_report.h"
#include "eval/sample_faces.h"
#include "eval/text_report.h"

namespace spiga::eval {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() : database_(scheme::find_database("300wpublic")), truth_(sample_list(database_, 30)) {
    for (std::size_t i = 0; i < truth_.faces.size(); ++i) {
      truth_.faces[i].headpose = annotations::Pose{{-30.0 + 2.0 * static_cast<double>(i), 1, 2}, {}};
    }
    add_method("good", 0.5);
    add_method("bad & <b>", 2.5);
    methods_[0].predictions.faces[7] = {.image = "7.jpg"};
    methods_[0].predictions.faces[9].uncertainty.assign(68, 1.5);
    methods_[0].predictions.faces[10].uncertainty.assign(68, 0.5);
    for (Method& method : methods_) method.evaluation = evaluate(database_, truth_, method.predictions);
    differences_ = compare_methods(methods_);
  }

  void add_method(const std::string& name, double shift) {
    Method method;
    method.name = name;
    method.predictions = truth_;
    method.predictions.source = name + ".json";
    for (std::size_t i = 0; i < truth_.faces.size(); ++i) {
      for (auto& place : method.predictions.faces[i].landmarks)
        place.x += shift * (1 + 0.1 * static_cast<double>(i % 5));
    }
    methods_.push_back(std::move(method));
  }

  const scheme::Database& database_;
  annotations::FaceList truth_;
  std::vector<Method> methods_;
  std::vector<Difference> differences_;
};

TEST_F(ReportTest, ComparisonIsPairedOverFacesBothFound) {
  ASSERT_EQ(differences_.size(), 1u);
  const Difference& d = differences_[0];
  EXPECT_EQ(d.faces, 29u);
  EXPECT_EQ(d.better_share, 0);
  double sum = 0;
  for (std::size_t i = 0; i < 30; ++i) {
    if (i != 7) sum += methods_[1].evaluation.faces[i].nme - methods_[0].evaluation.faces[i].nme;
  }
  EXPECT_NEAR(d.difference, sum / 29, 1e-12);
  EXPECT_LT(d.interval.low, d.difference);
  EXPECT_GT(d.interval.high, d.difference);
  EXPECT_TRUE(d.significant());
}

TEST_F(ReportTest, NoiseIsNotProgress) {
  std::vector<Method> same = {methods_[1], methods_[1]};
  for (std::size_t i = 0; i < 30; ++i) same[1].evaluation.faces[i].nme += i % 2 == 0 ? 0.01 : -0.01;
  const Difference difference = compare_methods(same)[0];
  EXPECT_FALSE(difference.significant());
}

TEST_F(ReportTest, TextAlwaysSaysWhatWasUsed) {
  const std::string text = text_report(methods_[0]);
  EXPECT_THAT(text, AllOf(HasSubstr("30 faces used of 30 annotated, 1 missed"),
                          HasSubstr("norm corners, threshold 8"),
                          HasSubstr("note: 1 of 30 faces were missed"), HasSubstr("rank correlation")));
  EXPECT_THAT(text_comparison(methods_, differences_), AllOf(HasSubstr("bad & <b>"), HasSubstr("worse")));
}

TEST_F(ReportTest, JsonHasEveryFigure) {
  const auto report = nlohmann::json::parse(json_report(methods_, differences_));
  const auto& method = report["methods"][0];
  EXPECT_EQ(method["faces_used"], 30);
  EXPECT_EQ(method["faces_missed"], 1);
  EXPECT_DOUBLE_EQ(method["full"]["nme"], methods_[0].evaluation.whole.nme.mean);
  EXPECT_DOUBLE_EQ(method["full"]["auc_exact"], methods_[0].evaluation.whole.exact.auc);
  EXPECT_EQ(method["landmarks"].size(), 68u);
  EXPECT_EQ(method["headpose"]["yaw"]["confusion"].size(), 13u);
  EXPECT_EQ(method["headpose"]["yaw"]["sr"]["2.5"], 1.0);
  EXPECT_EQ(method["headpose"]["faces"], 29);
  EXPECT_EQ(report["differences"][0]["significant"], true);
  EXPECT_DOUBLE_EQ(method["full"]["point_error"], methods_[0].evaluation.whole.point_error);
  EXPECT_EQ(method["uncertainty"]["coverage"]["landmarks"], 2 * 68);
  const auto& by_yaw = method["breakdowns"]["yaw"]["groups"];
  ASSERT_EQ(by_yaw.size(), 6u);
  EXPECT_EQ(by_yaw[0]["faces"].get<int>() + by_yaw[1]["faces"].get<int>() + by_yaw[2]["faces"].get<int>(),
            30);
  EXPECT_EQ(by_yaw[5]["to"], nullptr);
  EXPECT_EQ(by_yaw[5]["point_error"], nullptr);
  EXPECT_EQ(by_yaw[1]["yaw"]["bias"], 0) << "told poses are the true ones";
  EXPECT_EQ(method["degradations"], nullptr);
}

TEST_F(ReportTest, DegradationsStandInEveryForm) {
  DegradationScores scores;
  scores.faces = 30;
  scores.clean = {0, 3, 1.5, 0};
  scores.curves = {{{"blur", "per cent", {1, 2, 3}}, {{1, 3.5, 1.75, 0}, {2, 4, 2, 10}, {3, 6, 3, 50}}}};
  methods_[0].degradations = scores;
  EXPECT_THAT(text_report(methods_[0]), AllOf(HasSubstr("degraded pictures, 30 faces"), HasSubstr("2 *"),
                                              HasSubstr("blur (per cent)")));
  const auto report = nlohmann::json::parse(json_report(methods_, differences_));
  const auto& curve = report["methods"][0]["degradations"]["curves"]["blur"];
  EXPECT_EQ(curve["middle"], 2);
  EXPECT_EQ(curve["scores"][2]["point_error_added"], 1.5);
  EXPECT_EQ(report["methods"][1]["degradations"], nullptr);
  const std::string html = html_report({database_, truth_, methods_, differences_, {}});
  EXPECT_THAT(html, AllOf(HasSubstr("Degraded pictures"), HasSubstr("blur, step")));
}

// Every element that is opened is closed, in order.
void expect_balanced(const std::string& html) {
  const std::regex tag("<(/?)([a-zA-Z0-9]+)([^<>]*?)(/?)>");
  std::vector<std::string> open;
  for (std::sregex_iterator match(html.begin(), html.end(), tag), end; match != end; ++match) {
    const std::string name = (*match)[2];
    if ((*match)[4].length() > 0 || name == "meta" || name == "br") continue;
    if ((*match)[1].length() == 0) {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name) << "near ..."
                                   << html.substr(static_cast<std::size_t>(match->position()), 80);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST_F(ReportTest, HtmlIsWholeAndNeedsNoNetwork) {
  std::vector<std::string> asked;
  const JpegOfRegion jpeg = [&](const std::string& image, const annotations::Rect& region, int side) {
    EXPECT_EQ(region.width, region.height);
    EXPECT_GT(side, 100);
    asked.push_back(image);
    return std::string("bytes");
  };
  const std::string html = html_report({database_, truth_, methods_, differences_, jpeg});
  expect_balanced(html);
  EXPECT_EQ(asked.size(), 25u) << "24 worst faces and the missed one";
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "7.jpg"), 1);
  EXPECT_THAT(html, AllOf(HasSubstr("data:image/jpeg;base64,Ynl0ZXM="), HasSubstr("bad &amp; &lt;b&gt;"),
                          HasSubstr("SPIGA 2022"), HasSubstr("For orientation only")));
  EXPECT_THAT(html, AllOf(Not(HasSubstr("<b>bad")), Not(HasSubstr("<script")), Not(HasSubstr("<link")),
                          Not(HasSubstr("nan"))));
  std::string without_namespace = html;
  for (const std::string space = "http://www.w3.org/2000/svg";
       without_namespace.find(space) != std::string::npos;) {
    without_namespace.erase(without_namespace.find(space), space.size());
  }
  EXPECT_THAT(without_namespace, Not(HasSubstr("http"))) << "a page that needs no network links nowhere";
}

TEST_F(ReportTest, HtmlOfTheBarestInput) {
  annotations::FaceList one = truth_;
  one.faces.resize(1);
  Method method;
  method.name = "one";
  method.predictions = one;
  method.predictions.faces[0] = {.image = "0.jpg"};
  method.evaluation = evaluate(database_, one, method.predictions);
  const std::string html = html_report({database_, one, std::span(&method, 1), {}});
  expect_balanced(html);
  EXPECT_THAT(html, HasSubstr("1 faces that the detector did not find"));
}

}  // namespace
}  // namespace spiga::eval
