// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/text_report.h"

namespace spiga::eval {
namespace {

using json = nlohmann::ordered_json;

// null where the figure does not exist; JSON knows no NaN.
json figure(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json to_json(const ErrorSummary& summary) {
  return {{"nme", figure(summary.mean)},
          {"nme_p90", figure(summary.p90)},
          {"nme_p95", figure(summary.p95)},
          {"nme_p99", figure(summary.p99)}};
}

json to_json(const SetScores& set) {
  json object = {{"faces", set.members.size()}, {"missed", set.missed}};
  object.update(to_json(set.nme));
  object["point_error"] = figure(set.point_error);
  object["auc"] = figure(set.published.auc);
  object["fr"] = figure(set.published.failure_rate);
  object["auc_exact"] = figure(set.exact.auc);
  object["fr_exact"] = figure(set.exact.failure_rate);
  return object;
}

json to_json(const AngleScores& angle) {
  json object = {{"mae", figure(angle.mean_absolute_error)},
                 {"acc_label", figure(angle.label_accuracy)},
                 {"acc_adj_label", figure(angle.adjacent_accuracy)}};
  for (std::size_t i = 0; i < kPoseLimits.size(); ++i) {
    const std::string limit = json(kPoseLimits[i]).dump();
    object["sr"][limit] = angle.success[i];
    object["sr_exact"][limit] = angle.success_exact[i];
  }
  object["confusion"] = angle.confusion;
  return object;
}

json to_json(const HeadPoseScores& pose, std::size_t derived) {
  json object = {
      {"faces", pose.faces}, {"derived_by_posit", derived}, {"mae_mean", figure(pose.mean_absolute_error)}};
  for (int i = 0; i < kPoseLabels; ++i) object["labels_deg"].push_back(pose_label(i));
  for (std::size_t axis = 0; axis < 3; ++axis) object[kAngleNames[axis]] = to_json(pose.angles[axis]);
  return object;
}

json to_json(const Coverage& coverage) {
  return {{"landmarks", coverage.landmarks},
          {"within_one_sigma", figure(coverage.within_one_sigma)},
          {"within_two_sigmas", figure(coverage.within_two_sigmas)},
          {"mean_uncertainty", figure(coverage.mean_uncertainty)},
          {"mean_error", figure(coverage.mean_error)}};
}

json to_json(const FaceGroup& group) {
  json object = {{"from", group.low},
                 {"to", figure(group.high)},
                 {"faces", group.members.size() + group.missed},
                 {"missed", group.missed},
                 {"point_error", figure(group.point_error)},
                 {"nme", figure(group.nme)},
                 {"poses", group.poses}};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    object[kAngleNames[axis]] = {{"mae", figure(group.angles[axis].mean_absolute)},
                                 {"bias", figure(group.angles[axis].bias)}};
  }
  object["coverage"] = to_json(group.coverage);
  return object;
}

json to_json(const Breakdown& breakdown) {
  json object = {{"unit", breakdown.unit}, {"left_out", breakdown.left_out}, {"groups", json::array()}};
  for (const FaceGroup& group : breakdown.groups) object["groups"].push_back(to_json(group));
  return object;
}

json to_json(const DegradedScores& scores, const DegradedScores& clean) {
  return {{"strength", scores.strength},
          {"nme", figure(scores.nme)},
          {"nme_added", figure(scores.nme - clean.nme)},
          {"point_error", figure(scores.point_error)},
          {"point_error_added", figure(scores.point_error - clean.point_error)},
          {"fr_exact", figure(scores.failure_rate)}};
}

json to_json(const DegradationScores& degradations) {
  json object = {{"faces", degradations.faces},
                 {"face_px", kDegradedFacePx},
                 {"clean", to_json(degradations.clean, degradations.clean)},
                 {"curves", json::object()}};
  for (const DegradationCurve& curve : degradations.curves) {
    json& entry = object["curves"][curve.degradation.name];
    entry = {{"unit", curve.degradation.unit},
             {"middle", curve.degradation.strengths[curve.degradation.middle()]},
             {"scores", json::array()}};
    for (const DegradedScores& scores : curve.scores)
      entry["scores"].push_back(to_json(scores, degradations.clean));
  }
  return object;
}

json to_json(const Method& method) {
  const Evaluation& evaluation = method.evaluation;
  json object = {{"method", method.name},
                 {"predictions", method.predictions.source},
                 {"database", evaluation.database},
                 {"norm", evaluation.norm},
                 {"threshold", evaluation.threshold},
                 {"faces_annotated", evaluation.faces.size()},
                 {"faces_used", evaluation.faces.size()},
                 {"faces_missed", evaluation.whole.missed},
                 {"full", to_json(evaluation.whole)},
                 {"subsets", json::object()},
                 {"landmarks", json::array()},
                 {"headpose", nullptr},
                 {"uncertainty", nullptr},
                 {"breakdowns", json::object()},
                 {"degradations", nullptr},
                 {"notes", evaluation.notes}};
  for (const SetScores& subset : evaluation.subsets) object["subsets"][subset.name] = to_json(subset);
  for (const LandmarkScores& landmark : evaluation.landmarks) {
    json entry = {{"id", landmark.id}, {"faces", landmark.faces}};
    entry.update(to_json(landmark.nme));
    object["landmarks"].push_back(std::move(entry));
  }
  if (evaluation.head_pose) object["headpose"] = to_json(*evaluation.head_pose, evaluation.derived_poses);
  if (evaluation.uncertainty) {
    object["uncertainty"] = {
        {"landmarks", evaluation.uncertainty->landmarks},
        {"landmark_rank_correlation", figure(evaluation.uncertainty->landmark_rank_correlation)},
        {"face_rank_correlation", figure(evaluation.uncertainty->face_rank_correlation)},
        {"mean_uncertainty", figure(evaluation.uncertainty->mean_uncertainty)},
        {"mean_error", figure(evaluation.uncertainty->mean_error)},
        {"coverage", to_json(evaluation.uncertainty->coverage)}};
    object["uncertainty"]["coverage"]["nominal_one_sigma"] = kNominalOneSigma;
    object["uncertainty"]["coverage"]["nominal_two_sigmas"] = kNominalTwoSigmas;
  }
  for (const Breakdown& breakdown : evaluation.breakdowns)
    object["breakdowns"][breakdown.by] = to_json(breakdown);
  if (method.degradations) object["degradations"] = to_json(*method.degradations);
  return object;
}

json to_json(const Difference& d) {
  return {{"method", d.method},
          {"baseline", d.baseline},
          {"faces", d.faces},
          {"nme_difference", figure(d.difference)},
          {"interval_95", {figure(d.interval.low), figure(d.interval.high)}},
          {"better_share", figure(d.better_share)},
          {"significant", d.significant()}};
}

}  // namespace

std::string json_report(std::span<const Method> methods, std::span<const Difference> differences) {
  json report = {{"methods", json::array()}, {"differences", json::array()}};
  for (const Method& method : methods) report["methods"].push_back(to_json(method));
  for (const Difference& difference : differences) report["differences"].push_back(to_json(difference));
  return report.dump(2) + "\n";
}

}  // namespace spiga::eval
