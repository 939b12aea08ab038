// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/matching.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

using annotations::FaceList;
using base::concat;

std::string stem_of(const std::string& image) {
  return std::filesystem::path(image).lexically_normal().replace_extension().generic_string();
}

std::vector<std::string> stems_of(const FaceList& list) {
  std::vector<std::string> stems;
  stems.reserve(list.faces.size());
  for (const auto& face : list.faces) stems.push_back(stem_of(face.image));
  return stems;
}

std::unordered_map<std::string, int> counts_of(const std::vector<std::string>& stems) {
  std::unordered_map<std::string, int> counts;
  for (const std::string& stem : stems) ++counts[stem];
  return counts;
}

// Says which picture of `stems` has not as many faces in the other list.
std::string first_difference(const std::vector<std::string>& stems, const std::vector<std::string>& others) {
  const auto mine = counts_of(stems);
  const auto theirs = counts_of(others);
  for (const std::string& stem : stems) {
    const auto other = theirs.find(stem);
    const int there = other == theirs.end() ? 0 : other->second;
    if (mine.at(stem) > there)
      return concat("'", stem, "' ", mine.at(stem), " times here, ", there, " times there");
  }
  return "";
}

[[noreturn]] void fail_to_match(const FaceList& truth, const FaceList& predictions,
                                const std::vector<std::string>& truth_stems,
                                const std::vector<std::string>& prediction_stems) {
  std::string reason = first_difference(truth_stems, prediction_stems);
  std::string where = "annotations";
  if (reason.empty()) {
    reason = first_difference(prediction_stems, truth_stems);
    where = "predictions";
  }
  if (!reason.empty()) reason = concat("; of the ", where, ", ", reason);
  throw Error(ErrorCode::bad_data,
              concat(predictions.source, ": expected ", truth.faces.size(), " predictions, one per face of ",
                     truth.source, ", found ", predictions.faces.size(), reason));
}

}  // namespace

std::vector<std::size_t> match_predictions(const FaceList& truth, const FaceList& predictions) {
  const std::vector<std::string> truth_stems = stems_of(truth);
  const std::vector<std::string> prediction_stems = stems_of(predictions);
  std::vector<std::size_t> prediction_of(truth_stems.size());
  if (truth_stems == prediction_stems) {
    std::iota(prediction_of.begin(), prediction_of.end(), std::size_t{0});
    return prediction_of;
  }
  if (counts_of(truth_stems) != counts_of(prediction_stems)) {
    fail_to_match(truth, predictions, truth_stems, prediction_stems);
  }
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < prediction_stems.size(); ++i) {
    if (places.emplace(prediction_stems[i], i).second) continue;
    throw Error(ErrorCode::bad_data, concat(predictions.source, ": in another order than ", truth.source,
                                            ", and '", predictions.faces[i].image,
                                            "' has several faces: cannot tell which prediction is whose"));
  }
  for (std::size_t i = 0; i < truth_stems.size(); ++i) prediction_of[i] = places.at(truth_stems[i]);
  return prediction_of;
}

}  // namespace spiga::eval
