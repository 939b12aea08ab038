// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/published.h"

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

struct TestSet {
  std::string_view database;
  std::size_t faces;
};

constexpr TestSet kTestSets[] = {
    {"wflw", 2500}, {"300wpublic", 689}, {"300wprivate", 600}, {"cofw68", 507}, {"merlrav", 3865}};

// SPIGA: Prados-Torreblanca, Buenaposada, Baumela, BMVC 2022 (the authors' own evaluation). STAR: Zhou et
// al., CVPR 2023. LDEQ: Micaelli et al., CVPR 2023. D-ViT: Zhang et al., 2025.
constexpr PublishedResult kResults[] = {
    {"wflw", "full", "SPIGA 2022", 4.060, 60.56, 2.080, 1.553},
    {"wflw", "pose", "SPIGA 2022", 7.141, 35.31, 11.656},
    {"wflw", "expression", "SPIGA 2022", 4.457, 57.98, 2.229},
    {"wflw", "illumination", "SPIGA 2022", 4.004, 61.31, 1.576},
    {"wflw", "makeup", "SPIGA 2022", 3.809, 62.23, 1.456},
    {"wflw", "occlusion", "SPIGA 2022", 4.952, 53.31, 4.484},
    {"wflw", "blur", "SPIGA 2022", 4.650, 55.31, 2.199},
    {"wflw", "full", "STAR 2023", 4.02},
    {"wflw", "full", "LDEQ 2023", 3.92},
    {"wflw", "full", "D-ViT 2025", 3.75},
    {"300wpublic", "full", "SPIGA 2022", 2.994, 62.73, 0.726, 1.295},
    {"300wpublic", "helen", "SPIGA 2022", 2.519, 68.51, 0.000},
    {"300wpublic", "lfpw", "SPIGA 2022", 2.687, 66.42, 0.000},
    {"300wpublic", "common", "SPIGA 2022", 2.587, 67.67, 0.000},
    {"300wpublic", "ibug", "SPIGA 2022", 4.662, 42.45, 3.704},
    {"300wpublic", "full", "STAR 2023", 2.87},
    {"300wpublic", "common", "STAR 2023", 2.52},
    {"300wpublic", "ibug", "STAR 2023", 4.32},
    {"300wpublic", "full", "D-ViT 2025", 2.85},
    {"300wprivate", "full", "SPIGA 2022", 2.031, 71.01, 0.167, 1.537},
    {"300wprivate", "indoor", "SPIGA 2022", 2.035, 70.96, 0.333},
    {"300wprivate", "outdoor", "SPIGA 2022", 2.027, 71.05, 0.000},
    {"cofw68", "full", "SPIGA 2022", 2.517, 64.05, 0.000, 1.822},
    {"merlrav", "full", "SPIGA 2022", 1.509, 78.47, 0.052, 2.393},
    {"merlrav", "frontal", "SPIGA 2022", 1.616, 76.96, 0.091},
    {"merlrav", "half_profile", "SPIGA 2022", 1.683, 75.97, 0.000},
    {"merlrav", "half_profile_left", "SPIGA 2022", 1.659, 76.30, 0.000},
    {"merlrav", "half_profile_right", "SPIGA 2022", 1.705, 75.64, 0.000},
    {"merlrav", "profile", "SPIGA 2022", 1.191, 82.99, 0.000},
    {"merlrav", "profile_left", "SPIGA 2022", 1.143, 83.68, 0.000},
    {"merlrav", "profile_right", "SPIGA 2022", 1.237, 82.33, 0.000},
};

}  // namespace

std::vector<PublishedResult> published_results(std::string_view database) {
  std::vector<PublishedResult> results;
  for (const PublishedResult& result : kResults) {
    if (result.database == database) results.push_back(result);
  }
  return results;
}

std::size_t published_test_size(std::string_view database) {
  for (const TestSet& set : kTestSets) {
    if (set.database == database) return set.faces;
  }
  throw Error(ErrorCode::invalid_argument, base::concat("no test set is known of database '", database, "'"));
}

}  // namespace spiga::eval
