// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace spiga {

struct ScoreOptions {
  std::string database = "300wpublic";   // what the landmarks are: "wflw", "300wpublic", "cofw68", "merlrav"
  std::string norm = {};                 // "corners", "pupils", "bbox", ...; empty: the database's own
  std::optional<double> threshold = {};  // error over which a face has failed; none: the published one
};

// How good predicted landmarks are. Errors are per cent of each face's normalising distance
// (docs/benchmark.md).
struct Scores {
  std::string norm;
  double threshold = 0;
  double nme = 0;           // mean over the faces that were found
  double nme_p90 = 0;       // 90 % of the faces are better than this
  double auc = 0;           // area under the cumulative error curve up to the threshold, per cent
  double failure_rate = 0;  // faces over the threshold or missed, per cent
  int missed = 0;
  std::vector<double> face_nme;  // [N] of each face; NaN where missed
};

// Scores N predicted faces against N annotated ones. Both are [N, L, 2]: x, y in pixels, landmarks in the
// order of the database's ids. A prediction that begins with NaN is a face that was missed. Throws
// Error(invalid_argument) for sizes that do not fit, unknown names and numbers that are not finite,
// Error(bad_data) for a face without extent.
Scores evaluate(std::span<const double> truth, std::span<const double> predicted,
                const ScoreOptions& options = {});

}  // namespace spiga
