// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "eval/matching.h"
#include "eval/published.h"
#include "eval/statistics.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

using annotations::AnnotatedFace;
using annotations::Coordinate;
using annotations::FaceList;
using annotations::Rect;
using base::concat;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double distance(const Coordinate& a, const Coordinate& b) { return std::hypot(a.x - b.x, a.y - b.y); }

// Where `id` stands in the face's list, or -1.
std::ptrdiff_t place_of(const AnnotatedFace& face, int id) {
  const auto found = std::find(face.ids.begin(), face.ids.end(), id);
  return found == face.ids.end() ? -1 : found - face.ids.begin();
}

Coordinate mean_of_ids(const AnnotatedFace& face, std::span<const int> ids, const std::string& norm,
                       const std::string& where) {
  Coordinate sum;
  for (int id : ids) {
    const std::ptrdiff_t place = place_of(face, id);
    if (place < 0) {
      throw Error(ErrorCode::bad_data,
                  concat(where, ": norm '", norm, "' needs landmark ", id, ", which is not annotated"));
    }
    sum.x += face.landmarks[static_cast<std::size_t>(place)].x;
    sum.y += face.landmarks[static_cast<std::size_t>(place)].y;
  }
  const auto count = static_cast<double>(ids.size());
  return {sum.x / count, sum.y / count};
}

// The landmarks whose means are the two ends of the distance.
struct Ends {
  std::vector<int> left;
  std::vector<int> right;
};

Ends ends_of(const scheme::Database& database, const std::string& norm) {
  constexpr int kLeftPupil = 196, kRightPupil = 197;
  if (norm == "corners") return {{12}, {7}};
  if (database.index_of(kLeftPupil) >= 0 && database.index_of(kRightPupil) >= 0) {
    return {{kLeftPupil}, {kRightPupil}};
  }
  return {{7, 138, 139, 8, 141, 142}, {11, 144, 145, 12, 147, 148}};
}

double box_distance(const Rect& box, const std::string& norm) {
  if (norm == "height") return box.height;
  if (norm == "diagonal") return std::hypot(box.width, box.height);
  return std::sqrt(box.width * box.height);
}

struct Rule {
  std::string norm;
  double threshold = 0;
};

Rule rule_of(const scheme::Database& database, const EvaluationOptions& options) {
  const std::string norm = options.norm.empty() ? database.norms.front().name : options.norm;
  if (std::find(kNormNames.begin(), kNormNames.end(), norm) == kNormNames.end()) {
    throw Error(ErrorCode::invalid_argument,
                concat("norm: expected ", base::join({kNormNames.begin(), kNormNames.end()}), ", found '",
                       norm, "'"));
  }
  if (options.threshold) {
    if (*options.threshold > 0 && std::isfinite(*options.threshold)) return {norm, *options.threshold};
    throw Error(ErrorCode::invalid_argument,
                concat("threshold: expected above 0, found ", *options.threshold));
  }
  for (const scheme::Norm& known : database.norms) {
    if (known.name == norm) return {norm, known.threshold};
  }
  throw Error(ErrorCode::invalid_argument, concat("norm '", norm, "' has no published threshold on ",
                                                  database.name, ": a threshold has to be given"));
}

// MERL-RAV's convention: the sum over the annotated landmarks is divided by 68, however many those are.
std::size_t divisor(const scheme::Database& database, const AnnotatedFace& face) {
  return database.name == "merlrav" ? static_cast<std::size_t>(database.landmarks) : face.ids.size();
}

// Errors of the annotated landmarks and the uncertainties predicted for them.
void score_landmarks_of(const AnnotatedFace& truth, const AnnotatedFace& prediction, const std::string& where,
                        FaceResult& face) {
  const bool same_order = truth.ids == prediction.ids;
  for (std::size_t i = 0; i < truth.ids.size(); ++i) {
    const std::ptrdiff_t found =
        same_order ? static_cast<std::ptrdiff_t>(i) : place_of(prediction, truth.ids[i]);
    if (found < 0)
      throw Error(ErrorCode::bad_data, concat(where, ": landmark ", truth.ids[i], " is not predicted"));
    const auto place = static_cast<std::size_t>(found);
    face.landmark_errors.push_back(distance(truth.landmarks[i], prediction.landmarks[place]) / face.norm_px *
                                   100);
    if (!prediction.uncertainty.empty())
      face.uncertainties.push_back(prediction.uncertainty[place] / face.norm_px * 100);
  }
}

// The work on one set of annotations and predictions.
class Evaluator {
 public:
  Evaluator(const scheme::Database& database, const FaceList& truth, const FaceList& predictions,
            const Rule& rule)
      : database_(database), truth_(truth), predictions_(predictions) {
    result_.database = database.name;
    result_.norm = rule.norm;
    result_.threshold = rule.threshold;
  }

  Evaluation run() {
    if (truth_.faces.empty())
      throw Error(ErrorCode::bad_data, truth_.source + ": expected faces, found none");
    const std::vector<std::size_t> prediction_of = match_predictions(truth_, predictions_);
    for (std::size_t i = 0; i < prediction_of.size(); ++i) add_face(i, prediction_of[i]);
    score_sets();
    score_landmarks();
    score_poses();
    score_uncertainty();
    result_.breakdowns = break_down(result_.faces);
    return std::move(result_);
  }

 private:
  const AnnotatedFace& prediction_of(const FaceResult& face) const {
    return predictions_.faces[face.prediction];
  }

  void add_face(std::size_t index, std::size_t prediction_index) {
    const AnnotatedFace& truth = truth_.faces[index];
    const AnnotatedFace& prediction = predictions_.faces[prediction_index];
    const std::string where = concat(truth_.source, ": face ", index, " (", truth.image, ")");
    FaceResult face;
    face.prediction = prediction_index;
    face.missed = prediction.landmarks.empty();
    face.nme = face.point_error = kNothing;
    if (truth.landmarks.empty()) throw Error(ErrorCode::bad_data, where + ": expected landmarks, found none");
    face.norm_px = norm_distance(database_, result_.norm, truth, where);
    face.size_px = norm_distance(database_, "lnd_bbox", truth, where);
    if (!face.missed) {
      const std::string place =
          concat(predictions_.source, ": face ", prediction_index, " (", prediction.image, ")");
      score_landmarks_of(truth, prediction, place, face);
      const double sum = std::accumulate(face.landmark_errors.begin(), face.landmark_errors.end(), 0.0);
      face.nme = sum / static_cast<double>(divisor(database_, truth));
      face.point_error = mean(face.landmark_errors) * face.norm_px / face.size_px;
      if (prediction.headpose) face.predicted_pose = prediction.headpose->angles_deg;
    }
    if (truth.headpose) {
      face.pose = truth.headpose->angles_deg;
    } else {
      face.pose = angles_from_landmarks(database_, truth);
    }
    result_.faces.push_back(std::move(face));
  }

  static ErrorSummary summary_of(const std::vector<double>& errors) {
    return {mean(errors), percentile(errors, 90), percentile(errors, 95), percentile(errors, 99)};
  }

  SetScores score_set(const std::string& name, std::vector<std::size_t> members) const {
    SetScores scores;
    scores.name = name;
    scores.members = std::move(members);
    std::vector<double> errors, point_errors;
    for (std::size_t member : scores.members) {
      if (result_.faces[member].missed) continue;
      errors.push_back(result_.faces[member].nme);
      point_errors.push_back(result_.faces[member].point_error);
    }
    scores.missed = scores.members.size() - errors.size();
    scores.nme = summary_of(errors);
    scores.point_error = mean(point_errors);
    scores.published = published_curve_figures(errors, result_.threshold, scores.members.size());
    scores.exact = exact_curve_figures(errors, result_.threshold, scores.members.size());
    return scores;
  }

  void score_sets() {
    std::vector<std::size_t> all(result_.faces.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    result_.whole = score_set("full", std::move(all));
    if (result_.whole.missed > 0) {
      result_.notes.push_back(
          concat(result_.whole.missed, " of ", result_.faces.size(),
                 " faces were missed by the detector: failures in AUC and FR, left out of NME"));
    }
    if (!truth_.subsets.empty()) {
      for (const auto& [name, members] : truth_.subsets) result_.subsets.push_back(score_set(name, members));
    } else if (truth_.faces.size() == published_test_size(database_.name)) {
      for (const scheme::Subset& subset : database_.test_subsets) {
        result_.subsets.push_back(score_set(subset.name, {subset.images.begin(), subset.images.end()}));
      }
    } else if (!database_.test_subsets.empty()) {
      result_.notes.push_back(concat("no subsets: they are places in the published test list of ",
                                     published_test_size(database_.name), " faces, and this list has ",
                                     truth_.faces.size()));
    }
  }

  void score_landmarks() {
    std::vector<std::vector<double>> errors_of(static_cast<std::size_t>(database_.landmarks));
    for (std::size_t i = 0; i < result_.faces.size(); ++i) {
      const FaceResult& face = result_.faces[i];
      for (std::size_t k = 0; k < face.landmark_errors.size(); ++k) {
        const int index = database_.index_of(truth_.faces[i].ids[k]);
        errors_of[static_cast<std::size_t>(index)].push_back(face.landmark_errors[k]);
      }
    }
    for (std::size_t l = 0; l < errors_of.size(); ++l) {
      result_.landmarks.push_back({database_.ids[l], errors_of[l].size(), summary_of(errors_of[l])});
    }
  }

  void score_poses() {
    std::vector<Angles> truth;
    std::vector<Angles> predicted;
    std::size_t without_truth = 0;
    for (std::size_t i = 0; i < result_.faces.size(); ++i) {
      const FaceResult& face = result_.faces[i];
      if (!face.predicted_pose) continue;
      if (!face.pose) ++without_truth;
      if (!face.pose) continue;
      truth.push_back(*face.pose);
      predicted.push_back(*face.predicted_pose);
      if (!truth_.faces[i].headpose) ++result_.derived_poses;
    }
    if (without_truth > 0) {
      result_.notes.push_back(
          concat(without_truth, " faces have no true head pose and too few landmarks for POSIT"));
    }
    if (truth.empty()) return;
    result_.head_pose = score_head_pose(truth, predicted);
    if (result_.derived_poses > 0) {
      result_.notes.push_back(
          concat(result_.derived_poses,
                 " true head poses are not annotated: POSIT of the annotated landmarks instead"));
    }
  }

  void score_uncertainty() {
    std::vector<double> uncertainties, errors, face_uncertainties, face_errors;
    for (const FaceResult& face : result_.faces) {
      if (face.uncertainties.empty()) continue;
      uncertainties.insert(uncertainties.end(), face.uncertainties.begin(), face.uncertainties.end());
      errors.insert(errors.end(), face.landmark_errors.begin(), face.landmark_errors.end());
      face_uncertainties.push_back(mean(face.uncertainties));
      face_errors.push_back(mean(face.landmark_errors));
    }
    if (uncertainties.empty()) return;
    result_.uncertainty = UncertaintyScores{uncertainties.size(),
                                            rank_correlation(uncertainties, errors),
                                            rank_correlation(face_uncertainties, face_errors),
                                            mean(uncertainties),
                                            mean(errors),
                                            coverage_of(result_.faces, result_.whole.members)};
  }

  const scheme::Database& database_;
  const FaceList& truth_;
  const FaceList& predictions_;
  Evaluation result_;
};

}  // namespace

double norm_distance(const scheme::Database& database, const std::string& norm, const AnnotatedFace& face,
                     const std::string& where) {
  double result = 0;
  if (norm == "corners" || norm == "pupils") {
    const Ends ends = ends_of(database, norm);
    result = distance(mean_of_ids(face, ends.left, norm, where), mean_of_ids(face, ends.right, norm, where));
  } else if (norm == "lnd_bbox") {
    result = box_distance(annotations::tight_box(face.landmarks), norm);
  } else {
    result = box_distance(*annotations::box_of(face), norm);
  }
  if (!(result > 0)) throw Error(ErrorCode::bad_data, concat(where, ": norm '", norm, "' has length zero"));
  return result;
}

Evaluation evaluate(const scheme::Database& database, const FaceList& truth, const FaceList& predictions,
                    const EvaluationOptions& options) {
  return Evaluator(database, truth, predictions, rule_of(database, options)).run();
}

}  // namespace spiga::eval
