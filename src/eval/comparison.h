// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/degradation.h"
#include "eval/evaluation.h"
#include "eval/statistics.h"

namespace spiga::eval {

// A method's predictions and what came out of them.
struct Method {
  std::string name;
  annotations::FaceList predictions;
  Evaluation evaluation;
  std::optional<DegradationScores> degradations = {};  // where a model was run over degraded pictures
};

// A method's NME less the first method's, over the faces that neither missed.
struct Difference {
  std::string method;
  std::string baseline;
  std::size_t faces = 0;
  double difference = 0;    // negative: better than the baseline
  Interval interval;        // 95 %, paired bootstrap of 10,000 resamples
  double better_share = 0;  // share of the faces on which the method is the better one

  // Whether chance alone hardly explains the difference.
  bool significant() const { return interval.low > 0 || interval.high < 0; }
};

// Every method after the first against the first, on the whole set. All were evaluated on the same
// annotations. Reproducible: the resamples are drawn from a fixed seed, the same for every method.
std::vector<Difference> compare_methods(std::span<const Method> methods);

}  // namespace spiga::eval
