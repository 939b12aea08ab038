// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/evaluation.h"

#include <cmath>

#include "annotations/annotations.h"
#include "base/text.h"
#include "eval/evaluation.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga {
namespace {

using base::concat;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, "evaluate: " + why);
}

bool is_missed(std::span<const double> face) { return std::isnan(face.front()); }

annotations::AnnotatedFace face_of(const scheme::Database& database, std::span<const double> points,
                                   std::size_t index, const char* what) {
  annotations::AnnotatedFace face{.image = concat("face ", index)};
  face.ids = database.ids;
  for (std::size_t i = 0; i < points.size(); i += 2) {
    if (!std::isfinite(points[i]) || !std::isfinite(points[i + 1]))
      refuse(concat(what, ": face ", index, ", landmark ", i / 2, ": expected finite numbers"));
    face.landmarks.push_back({points[i], points[i + 1]});
  }
  face.visible.assign(face.landmarks.size(), 1);
  return face;
}

annotations::FaceList faces_of(const scheme::Database& database, std::span<const double> values,
                               const char* what, bool may_miss) {
  annotations::FaceList list{.source = what};
  const auto numbers = static_cast<std::size_t>(2 * database.landmarks);
  for (std::size_t i = 0; i * numbers < values.size(); ++i) {
    const std::span<const double> face = values.subspan(i * numbers, numbers);
    list.faces.push_back(may_miss && is_missed(face) ? annotations::AnnotatedFace{.image = concat("face ", i)}
                                                     : face_of(database, face, i, what));
  }
  return list;
}

}  // namespace

Scores evaluate(std::span<const double> truth, std::span<const double> predicted,
                const ScoreOptions& options) {
  const scheme::Database& database = scheme::find_database(options.database);
  const auto numbers = static_cast<std::size_t>(2 * database.landmarks);
  if (truth.empty() || truth.size() % numbers != 0)
    refuse(concat("expected [N, ", database.landmarks, ", 2] numbers, N > 0, found ", truth.size()));
  if (predicted.size() != truth.size())
    refuse(concat("expected as many predicted numbers as annotated ones, ", truth.size(), ", found ",
                  predicted.size()));
  const eval::Evaluation result = eval::evaluate(database, faces_of(database, truth, "truth", false),
                                                 faces_of(database, predicted, "predicted", true),
                                                 {.norm = options.norm, .threshold = options.threshold});
  Scores scores{.norm = result.norm,
                .threshold = result.threshold,
                .nme = result.whole.nme.mean,
                .nme_p90 = result.whole.nme.p90,
                .auc = result.whole.exact.auc,
                .failure_rate = result.whole.exact.failure_rate,
                .missed = static_cast<int>(result.whole.missed),
                .face_nme = {}};
  for (const eval::FaceResult& face : result.faces) scores.face_nme.push_back(face.nme);
  return scores;
}

}  // namespace spiga
