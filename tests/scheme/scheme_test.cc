// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "scheme/scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "scheme/parse.h"
#include "spiga/error.h"

namespace spiga::scheme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kFacts = "../shared/facts";

double distance(const Point3& a, const Point3& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

double length_along(const Database& database, const std::vector<int>& order) {
  double length = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    length += distance(database.mean_face[order[i - 1]], database.mean_face[order[i]]);
  }
  return length;
}

TEST(Scheme, NamesInOrder) {
  EXPECT_THAT(database_names(), ElementsAre("wflw", "300wpublic", "300wprivate", "cofw68", "merlrav"));
}

TEST(Scheme, UnknownNameNamesTheKnownOnes) {
  try {
    find_database("lfw");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("wflw, 300wpublic, 300wprivate, cofw68, merlrav; found 'lfw'"));
  }
}

class EveryDatabase : public ::testing::TestWithParam<std::string> {
 protected:
  const Database& database() const { return find_database(GetParam()); }
};

TEST_P(EveryDatabase, SizesAgree) {
  const Database& d = database();
  EXPECT_EQ(d.name, GetParam());
  EXPECT_EQ(d.landmarks, GetParam() == "wflw" ? 98 : 68);
  EXPECT_EQ(d.edge_count(), GetParam() == "wflw" ? 15 : 13);
  const std::size_t count = d.landmarks;
  EXPECT_EQ(d.ids.size(), count);
  EXPECT_EQ(d.flip_order.size(), count);
  EXPECT_EQ(d.mean_face.size(), count);
  EXPECT_EQ(d.world_points.size(), count);
  EXPECT_EQ(d.edge2point.size(), count * (d.edges.size() + 1));
}

TEST_P(EveryDatabase, WorldPointsAreTheMeanFaceTurned) {
  const Database& d = database();
  for (int i = 0; i < d.landmarks; ++i) {
    const Point3& raw = d.mean_face[i];
    EXPECT_THAT(d.world_points[i], ElementsAre(raw[2], -raw[0], -raw[1]));
  }
}

TEST_P(EveryDatabase, IdsAreFoundAgain) {
  const Database& d = database();
  for (int i = 0; i < d.landmarks; ++i) EXPECT_EQ(d.index_of(d.ids[i]), i);
  EXPECT_EQ(d.index_of(999), -1);
}

// The mean face is nearly symmetric: a landmark's mirror image is (nearly: lips touch, brows lie close) the
// one nearest to where the landmark's own X is negated.
TEST_P(EveryDatabase, MirrorOrderFitsTheMeanFace) {
  constexpr double kSlack = 0.04;
  const Database& d = database();
  for (int i = 0; i < d.landmarks; ++i) {
    const Point3& own = d.mean_face[i];
    const Point3 mirrored = {-own[0], own[1], own[2]};
    double nearest = 1;
    for (const Point3& other : d.mean_face) nearest = std::min(nearest, distance(mirrored, other));
    EXPECT_LT(distance(mirrored, d.mean_face[d.flip_order[i]]), nearest + kSlack) << "landmark " << i;
  }
}

// Drawing a contour in its order makes no detour: no other order of the landmarks is shorter on the mean
// face.
TEST_P(EveryDatabase, EdgesAreDrawnAlongTheShortestWay) {
  const Database& d = database();
  for (const Edge& edge : d.edges) {
    if (edge.landmarks.size() > 8) continue;  // the jaw: next test
    const double ours = length_along(d, edge.landmarks);
    std::vector<int> order = edge.landmarks;
    std::sort(order.begin(), order.end());
    double shortest = ours;
    do {
      shortest = std::min(shortest, length_along(d, order));
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_NEAR(ours, shortest, 1e-9) << edge.name;
  }
}

TEST_P(EveryDatabase, JawGoesFromEarToEar) {
  const Edge& jaw = database().edges.front();
  EXPECT_EQ(jaw.name, "jaw");
  for (std::size_t i = 1; i < jaw.landmarks.size(); ++i) {
    EXPECT_GT(database().mean_face[jaw.landmarks[i]][0], database().mean_face[jaw.landmarks[i - 1]][0]);
  }
}

// The mirror image of a contour is a contour: right_eye_upper and left_eye_upper hold the same landmarks,
// mirrored.
TEST_P(EveryDatabase, SidesOfEdgesAreMirrorImages) {
  const Database& d = database();
  for (const Edge& edge : d.edges) {
    if (!edge.name.starts_with("right_")) continue;
    const auto left = std::find_if(d.edges.begin(), d.edges.end(), [&](const Edge& other) {
      return other.name == base::concat("left_", edge.name.substr(6));
    });
    ASSERT_NE(left, d.edges.end()) << edge.name;
    std::vector<int> mirrored;
    for (const int i : edge.landmarks) mirrored.push_back(d.flip_order[i]);
    EXPECT_THAT(mirrored, ::testing::UnorderedElementsAreArray(left->landmarks)) << edge.name;
    EXPECT_LT(d.mean_face[edge.landmarks[1]][0], 0) << "the subject's right is on the picture's left";
  }
}

// FNV-1a of all that the published files say of a database, which the two tests below compare where those
// files are: so that a copy of the project without them sees a changed number, too.
std::uint64_t digest_of(const Database& d) {
  std::string text;
  const auto add = [&text](const auto& value) { text += base::concat(value, ' '); };
  for (const int id : d.ids) add(id);
  for (const int index : d.flip_order) add(index);
  for (const float value : d.edge2point) add(std::lround(value * 1e6));
  for (const auto& norm : d.norms) {
    add(norm.name);
    add(std::lround(norm.threshold * 1e6));
  }
  for (const auto& subset : d.test_subsets) {
    add(subset.name);
    for (const int image : subset.images) add(image);
  }
  for (const auto& point : d.mean_face)
    for (int k = 0; k < 3; ++k) add(std::lround(1e9 * point[k]));
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

TEST_P(EveryDatabase, IsWhatWasChecked) {
  static const std::map<std::string, std::uint64_t> kDigests = {{"wflw", 3443771472757697294U},
                                                                {"300wpublic", 12091968893538996650U},
                                                                {"300wprivate", 16422193072455127674U},
                                                                {"cofw68", 12269290520290945502U},
                                                                {"merlrav", 11823183474895002652U}};
  EXPECT_EQ(digest_of(database()), kDigests.at(GetParam()));
}

TEST_P(EveryDatabase, HoldsThePublishedFacts) {
  if (!std::filesystem::exists(kFacts)) GTEST_SKIP() << kFacts << " is not here";
  const nlohmann::ordered_json facts = [&] {
    std::ifstream in(kFacts / (GetParam() + ".json"));
    return nlohmann::ordered_json::parse(in);
  }();
  const Database& d = database();
  EXPECT_EQ(d.ids, facts["ldm_ids"].get<std::vector<int>>());
  EXPECT_EQ(d.flip_order, facts["ldm_flip_order"].get<std::vector<int>>());
  std::vector<float> matrix;
  for (const auto& row : facts["ldm_edges_matrix"]) {
    for (const auto& value : row) matrix.push_back(value.get<float>());
  }
  EXPECT_EQ(d.edge2point, matrix);
  ASSERT_EQ(d.norms.size(), facts["norm"].size());
  std::size_t n = 0;
  for (const auto& [name, threshold] : facts["norm"].items()) {
    EXPECT_EQ(d.norms[n].name, name);
    EXPECT_EQ(d.norms[n++].threshold, threshold.get<double>());
  }
  ASSERT_EQ(d.test_subsets.size(), facts["test_subsets"].size());
  std::size_t s = 0;
  for (const auto& [name, images] : facts["test_subsets"].items()) {
    EXPECT_EQ(d.test_subsets[s].name, name);
    EXPECT_EQ(d.test_subsets[s++].images, images.get<std::vector<int>>());
  }
}

TEST_P(EveryDatabase, HoldsThePublishedMeanFace) {
  const auto file = kFacts / base::concat("mean_face_3D_", database().landmarks, ".txt");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
  std::ifstream in(file);
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const auto fields = base::split(base::trim(line), '|');
    ASSERT_EQ(fields.size(), 4U);
    const int index = database().index_of(static_cast<int>(base::parse_int(fields[0]).value()));
    ASSERT_GE(index, 0);
    for (int k = 0; k < 3; ++k) EXPECT_EQ(database().mean_face[index][k], base::parse_double(fields[k + 1]));
  }
  EXPECT_EQ(lines, database().landmarks);
}

INSTANTIATE_TEST_SUITE_P(Scheme, EveryDatabase,
                         ::testing::Values("wflw", "300wpublic", "300wprivate", "cofw68", "merlrav"),
                         [](const auto& test) { return "Of_" + test.param; });

// What parse_database says against a database of this text and this mark-up.
std::string complaint(const std::string& text, const std::string& markup) {
  try {
    parse_database("toy", text, [&](std::string_view) { return std::string_view(markup); });
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_data);
    return error.what();
  }
  return "";
}

const std::string kMarkup = "point 0 5 1 1 2 3\npoint 1 6 0 -1 2 3\nedge line 0-1\n";
const std::string kText = "markup toy # two points\nnorm corners 8\nsubset easy 0-2 5\nsubset easy 7\n";

TEST(SchemeParse, ReadsRangesAndComments) {
  const Database d = parse_database("toy", kText, [](std::string_view) { return std::string_view(kMarkup); });
  EXPECT_THAT(d.test_subsets.at(0).images, ElementsAre(0, 1, 2, 5, 7));
  EXPECT_THAT(d.edge2point, ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(d.world_points.at(0), ElementsAre(3, -1, -2));
}

TEST(SchemeParse, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(complaint("markup toy\nnrom x 1\n", kMarkup),
              HasSubstr("toy.txt:2: expected markup, norm or subset"));
  EXPECT_THAT(complaint("markup toy\nnorm x y\n", kMarkup),
              HasSubstr("toy.txt:2: expected a number, found 'y'"));
  EXPECT_THAT(complaint("markup toy\nnorm x\n", kMarkup), HasSubstr("expected 2 words after 'norm'"));
  EXPECT_THAT(complaint("markup toy\n", kMarkup), HasSubstr("expected a norm line"));
  EXPECT_THAT(complaint("norm x 1\n", kMarkup), HasSubstr("expected a markup line"));
  EXPECT_THAT(complaint("markup toy\nnorm x 1\nsubset s 5-3\n", kMarkup), HasSubstr("a rising range"));
  EXPECT_THAT(complaint(kText, "point 1 5 0 1 2 3\n"), HasSubstr("markup_toy.txt:1: expected point 0"));
  EXPECT_THAT(complaint(kText, "point 0 5 1 1 2 3\npoint 1 5 0 1 2 3\n"),
              HasSubstr("expected ids that differ"));
  EXPECT_THAT(complaint(kText, "point 0 5 0 1 2 3\npoint 1 6 0 1 2 3\n"), HasSubstr("mirror image"));
  EXPECT_THAT(complaint(kText, kMarkup + "edge more 0-2\n"), HasSubstr("a number from 0 to 1"));
}

}  // namespace
}  // namespace spiga::scheme
