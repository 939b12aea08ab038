// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/text_report.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "charts/svg.h"

namespace spiga::eval {

std::string align_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - row[c].size(), ' ');
      text += c == 0 ? "  " + row[c] + padding : "  " + padding + row[c];
    }
    text += '\n';
  }
  return text;
}

namespace {

using base::concat;
using charts::fixed;
using charts::number;
using Row = std::vector<std::string>;

std::string figure(double value, int digits) { return std::isfinite(value) ? fixed(value, digits) : "-"; }

Row row_of(const SetScores& set) {
  return {set.name,
          concat(set.members.size()),
          concat(set.missed),
          figure(set.nme.mean, 4),
          figure(set.point_error, 4),
          figure(set.nme.p90, 3),
          figure(set.nme.p95, 3),
          figure(set.nme.p99, 3),
          figure(set.published.auc, 3),
          figure(set.published.failure_rate, 3),
          figure(set.exact.auc, 3),
          figure(set.exact.failure_rate, 3)};
}

std::string sets_table(const Evaluation& evaluation) {
  std::vector<Row> rows = {{"set", "faces", "missed", "NME", "% of box", "p90", "p95", "p99", "AUC", "FR",
                            "exact AUC", "exact FR"},
                           row_of(evaluation.whole)};
  for (const SetScores& subset : evaluation.subsets) rows.push_back(row_of(subset));
  return align_columns(rows);
}

std::string pose_table(const HeadPoseScores& pose) {
  std::vector<Row> rows = {{"angle", "MAE deg", "label %", "label+-1 %"}};
  for (double limit : kPoseLimits) rows[0].push_back(concat("< ", number(limit), " %"));
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const AngleScores& angle = pose.angles[axis];
    Row row = {kAngleNames[axis], figure(angle.mean_absolute_error, 4), figure(100 * angle.label_accuracy, 2),
               figure(100 * angle.adjacent_accuracy, 2)};
    for (double success : angle.success) row.push_back(figure(100 * success, 2));
    rows.push_back(std::move(row));
  }
  rows.push_back({"mean", figure(pose.mean_absolute_error, 4)});
  return align_columns(rows);
}

std::string share(double value) { return figure(100 * value, 1); }

// One line per group; columns of head pose and coverage where there is such a thing.
std::string breakdown_table(const Breakdown& breakdown, const Evaluation& evaluation) {
  std::vector<Row> rows = {{concat(breakdown.by, ' ', breakdown.unit), "faces", "missed", "% of box", "NME"}};
  const auto add = [](Row& row, const Row& cells) { row.insert(row.end(), cells.begin(), cells.end()); };
  if (evaluation.head_pose) add(rows[0], {"yaw MAE", "yaw bias", "pitch MAE", "roll MAE", "roll bias"});
  if (evaluation.uncertainty) add(rows[0], {"in 1 sigma %", "in 2 sigma %", "told", "error"});
  for (const FaceGroup& group : breakdown.groups) {
    if (group.members.empty() && group.missed == 0) continue;
    Row& row = rows.emplace_back(Row{range_text(group), concat(group.members.size()), concat(group.missed),
                                     figure(group.point_error, 3), figure(group.nme, 3)});
    const auto& [yaw, pitch, roll] = group.angles;
    const Coverage& coverage = group.coverage;
    if (evaluation.head_pose) {
      add(row, {figure(yaw.mean_absolute, 2), figure(yaw.bias, 2), figure(pitch.mean_absolute, 2),
                figure(roll.mean_absolute, 2), figure(roll.bias, 2)});
    }
    if (evaluation.uncertainty) {
      add(row, {share(coverage.within_one_sigma), share(coverage.within_two_sigmas),
                figure(coverage.mean_uncertainty, 2), figure(coverage.mean_error, 2)});
    }
  }
  return align_columns(rows);
}

std::string breakdowns_text(const Evaluation& evaluation) {
  std::string text =
      "\nby true yaw, true roll (absolute values) and size of the face (side of its tight box)\n"
      "% of box: mean error of the annotated landmarks in per cent of that side";
  if (evaluation.head_pose) text += "\nbias: told less true angle, negative where told too near to zero";
  text += '\n';
  for (const Breakdown& breakdown : evaluation.breakdowns) {
    text += '\n' + breakdown_table(breakdown, evaluation);
  }
  return text;
}

Row degraded_row(const DegradedScores& scores, const DegradedScores& clean, const std::string& name,
                 const std::string& mark) {
  return {name,
          number(scores.strength) + mark,
          figure(scores.point_error, 3),
          figure(scores.point_error - clean.point_error, 3),
          figure(scores.nme, 3),
          figure(scores.nme - clean.nme, 3),
          figure(scores.failure_rate, 1)};
}

std::string degradations_text(const DegradationScores& degradations) {
  std::vector<Row> rows = {{"degradation", "strength", "% of box", "added", "NME", "added", "exact FR"}};
  const DegradedScores& clean = degradations.clean;
  rows.push_back({"none", "", figure(clean.point_error, 3), "", figure(clean.nme, 3), "",
                  figure(clean.failure_rate, 1)});
  for (const DegradationCurve& curve : degradations.curves) {
    const std::string name = concat(curve.degradation.name, " (", curve.degradation.unit, ')');
    for (std::size_t i = 0; i < curve.scores.size(); ++i) {
      rows.push_back(degraded_row(curve.scores[i], clean, i == 0 ? name : "",
                                  i == curve.degradation.middle() ? " *" : "  "));
    }
  }
  return concat("\ndegraded pictures, ", degradations.faces,
                " faces, boxes: tight boxes of the landmarks; the "
                "face is brought to ",
                kDegradedFacePx, " pixels first; *: middle strength\n\n", align_columns(rows));
}

}  // namespace

std::string text_report(const Method& method) {
  const Evaluation& evaluation = method.evaluation;
  std::string text =
      concat(method.name, " on ", evaluation.database, ": ", evaluation.faces.size(), " faces used of ",
             evaluation.faces.size(), " annotated, ", evaluation.whole.missed, " missed\nnorm ",
             evaluation.norm, ", threshold ", number(evaluation.threshold),
             "; errors, AUC and FR in per cent\n\n", sets_table(evaluation));
  if (evaluation.head_pose) {
    text +=
        concat("\nhead pose, ", evaluation.head_pose->faces, " faces\n\n", pose_table(*evaluation.head_pose));
  }
  if (evaluation.uncertainty) {
    text += concat("\nuncertainty against true error, rank correlation: ",
                   figure(evaluation.uncertainty->landmark_rank_correlation, 3), " over ",
                   evaluation.uncertainty->landmarks, " landmarks, ",
                   figure(evaluation.uncertainty->face_rank_correlation, 3),
                   " over the means of faces; mean uncertainty ",
                   figure(evaluation.uncertainty->mean_uncertainty, 3), ", mean error ",
                   figure(evaluation.uncertainty->mean_error, 3),
                   "\ncoverage: ", share(evaluation.uncertainty->coverage.within_one_sigma),
                   " % within 1 sigma (nominal ", share(kNominalOneSigma), "), ",
                   share(evaluation.uncertainty->coverage.within_two_sigmas), " % within 2 sigma (nominal ",
                   share(kNominalTwoSigmas), ")\n");
  }
  text += breakdowns_text(evaluation);
  if (method.degradations) text += degradations_text(*method.degradations);
  if (!evaluation.notes.empty()) text += '\n';
  for (const std::string& note : evaluation.notes) text += concat("note: ", note, '\n');
  return text;
}

std::string text_comparison(std::span<const Method> methods, std::span<const Difference> differences) {
  std::vector<Row> rows = {{"method", "faces", "missed", "NME", "AUC", "FR", "pose MAE"}};
  for (const Method& method : methods) {
    const SetScores& whole = method.evaluation.whole;
    const auto& pose = method.evaluation.head_pose;
    rows.push_back({method.name, concat(whole.members.size()), concat(whole.missed),
                    figure(whole.nme.mean, 4), figure(whole.published.auc, 3),
                    figure(whole.published.failure_rate, 3),
                    pose ? figure(pose->mean_absolute_error, 3) : "-"});
  }
  std::string text = "methods side by side\n\n" + align_columns(rows);
  rows = {{"method", "faces", "NME difference", "95 % interval", "better on", "verdict"}};
  for (const Difference& d : differences) {
    rows.push_back({d.method, concat(d.faces), figure(d.difference, 4),
                    concat('[', figure(d.interval.low, 4), ", ", figure(d.interval.high, 4), ']'),
                    concat(figure(100 * d.better_share, 1), " %"),
                    !d.significant()   ? "undecided"
                    : d.difference < 0 ? "better"
                                       : "worse"});
  }
  if (!differences.empty()) {
    text +=
        concat("\ndifference to ", differences.front().baseline,
               " on the faces neither missed, paired bootstrap, 10,000 resamples\n\n", align_columns(rows));
  }
  return text;
}

}  // namespace spiga::eval
