// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/html_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "charts/page.h"
#include "charts/svg.h"
#include "eval/published.h"

namespace spiga::eval {
namespace {

using base::concat;
using charts::escape;
using charts::fixed;
using charts::number;

constexpr std::size_t kFacesShown = 24;

// Builds the page from top to bottom and numbers its tables and figures.
class Page {
 public:
  explicit Page(const Report& report)
      : report_(report), method_(report.methods.front()), evaluation_(method_.evaluation) {}

  std::string build() {
    head();
    sets_table();
    published_table();
    differences_table();
    curves();
    dependence();
    degradations();
    head_pose();
    uncertainty();
    faces();
    landmark_table();
    return charts::html_page(concat("Landmark evaluation: ", method_.name, " on ", evaluation_.database),
                             out_);
  }

 private:
  void head() {
    out_ = concat("<p class=\"lead\">", evaluation_.faces.size(), " annotated faces of ",
                  escape(report_.truth.source),
                  ", every one used; predictions: ", escape(method_.predictions.source),
                  "; errors in per cent of the norm <b>", evaluation_.norm, "</b>, failures over ",
                  number(evaluation_.threshold), " %.</p>\n");
    for (const std::string& note : evaluation_.notes)
      out_ += concat("<p class=\"note\">", escape(note), "</p>\n");
  }

  void section(std::string_view title) { out_ += concat("<h2>", title, "</h2>\n"); }

  void row(const std::vector<std::string>& cells, bool ours = false, const char* tag = "td") {
    out_ += ours ? "<tr class=\"ours\">" : "<tr>";
    for (const std::string& cell : cells) out_ += concat('<', tag, '>', cell, "</", tag, '>');
    out_ += "</tr>\n";
  }

  void begin_table(const std::string& caption, const std::vector<std::string>& header) {
    caption_ = concat("<b>Table ", ++tables_, ".</b> ", caption);
    out_ += "<figure><table>\n<thead>";
    row(header, false, "th");
    out_ += "</thead><tbody>\n";
  }

  void end_table() { out_ += concat("</tbody></table>\n<figcaption>", caption_, "</figcaption></figure>\n"); }

  void figure(const std::string& drawing, const std::string& caption) {
    if (drawing.empty()) return;
    out_ += concat("<figure>", drawing, "<figcaption><b>Figure ", ++figures_, ".</b> ", caption,
                   "</figcaption></figure>\n");
  }

  void set_row(const SetScores& set, bool whole) {
    row({set.name, concat(set.members.size()), concat(set.missed), fixed(set.nme.mean, 3),
         fixed(set.point_error, 3), fixed(set.nme.p90, 2), fixed(set.nme.p95, 2), fixed(set.nme.p99, 2),
         fixed(set.published.auc, 2), fixed(set.published.failure_rate, 2), fixed(set.exact.auc, 2),
         fixed(set.exact.failure_rate, 2)},
        whole);
  }

  void sets_table() {
    section("Landmarks");
    const std::string at = concat("@", number(evaluation_.threshold));
    begin_table(
        "Normalised mean error (NME) in per cent, mean over faces and percentiles; area under the cumulative "
        "error "
        "curve (AUC) and failure rate (FR) in per cent, as the published evaluator bins them and exactly, "
        "from the "
        "sorted errors. Missed faces have no NME and count as failures. % of box: mean error of the "
        "annotated landmarks in per cent of the side sqrt(w h) of their tight box, whatever the norm.",
        {"set", "faces", "missed", "NME", "% of box", "90th pct.", "95th pct.", "99th pct.", "AUC" + at,
         "FR" + at, "exact AUC" + at, "exact FR" + at});
    set_row(evaluation_.whole, true);
    for (const SetScores& subset : evaluation_.subsets) set_row(subset, false);
    end_table();
  }

  // The sets that get a column beside published figures.
  std::vector<const SetScores*> compared_sets(const std::vector<PublishedResult>& published) const {
    std::set<std::string_view> known;
    for (const PublishedResult& result : published) known.insert(result.set);
    std::vector<const SetScores*> sets = {&evaluation_.whole};
    for (const SetScores& subset : evaluation_.subsets) {
      if (known.contains(subset.name)) sets.push_back(&subset);
    }
    return sets;
  }

  static const SetScores* set_named(const Evaluation& evaluation, const std::string& name) {
    if (evaluation.whole.name == name) return &evaluation.whole;
    for (const SetScores& subset : evaluation.subsets) {
      if (subset.name == name) return &subset;
    }
    return nullptr;
  }

  void published_row(const std::string& method, const std::vector<PublishedResult>& published,
                     const std::vector<const SetScores*>& sets) {
    std::vector<std::string> cells = {escape(method)};
    const PublishedResult* whole = nullptr;
    for (const SetScores* set : sets) {
      cells.emplace_back("–");
      for (const PublishedResult& result : published) {
        if (result.method != method || result.set != set->name) continue;
        cells.back() = fixed(result.nme, 2);
        if (set == sets.front()) whole = &result;
      }
    }
    const auto cell = [&](auto member, int digits) {
      return whole && whole->*member ? fixed(*(whole->*member), digits) : std::string("–");
    };
    cells.push_back(cell(&PublishedResult::auc, 2));
    cells.push_back(cell(&PublishedResult::failure_rate, 2));
    cells.push_back(cell(&PublishedResult::pose_deg, 2));
    row(cells);
  }

  void method_row(const Method& method, const std::vector<const SetScores*>& sets) {
    std::vector<std::string> cells = {escape(method.name)};
    for (const SetScores* set : sets) {
      const SetScores* own = set_named(method.evaluation, set->name);
      cells.push_back(own ? fixed(own->nme.mean, 2) : "–");
    }
    const Evaluation& evaluation = method.evaluation;
    cells.push_back(fixed(evaluation.whole.published.auc, 2));
    cells.push_back(fixed(evaluation.whole.published.failure_rate, 2));
    cells.push_back(evaluation.head_pose ? fixed(evaluation.head_pose->mean_absolute_error, 2) : "–");
    row(cells, true);
  }

  void published_table() {
    const std::vector<PublishedResult> published = published_results(evaluation_.database);
    const std::vector<const SetScores*> sets = compared_sets(published);
    const std::size_t test_size = published_test_size(evaluation_.database);
    std::string caption =
        "NME beside published figures; AUC, FR and mean absolute pose error [degrees] of the full set.";
    if (evaluation_.norm != report_.database.norms.front().name) {
      caption += concat(" <b>Not comparable:</b> published figures use the norm ",
                        report_.database.norms.front().name, ".");
    }
    if (evaluation_.faces.size() != test_size) {
      caption += concat(" <b>For orientation only:</b> published figures are on the test set of ", test_size,
                        " faces, this is another list.");
    }
    std::vector<std::string> header = {"method"};
    for (const SetScores* set : sets) header.push_back("NME " + set->name);
    header.insert(header.end(), {"AUC", "FR", "pose"});
    begin_table(caption, header);
    for (const Method& method : report_.methods) method_row(method, sets);
    std::set<std::string_view> seen;
    for (const PublishedResult& result : published) {
      if (seen.insert(result.method).second) published_row(std::string(result.method), published, sets);
    }
    end_table();
  }

  void differences_table() {
    if (report_.differences.empty()) return;
    begin_table(concat("Difference in NME to ", escape(method_.name),
                       ", over the faces that neither method missed, with its 95 % interval by the paired "
                       "bootstrap (10,000 "
                       "resamples); an interval that holds 0 means that chance may explain the difference."),
                {"method", "faces", "NME difference", "95 % interval", "better on", "verdict"});
    for (const Difference& d : report_.differences) {
      const char* verdict = !d.significant() ? "undecided" : d.difference < 0 ? "better" : "worse";
      row({escape(d.method), concat(d.faces), fixed(d.difference, 3),
           concat('[', fixed(d.interval.low, 3), ", ", fixed(d.interval.high, 3), ']'),
           concat(fixed(100 * d.better_share, 1), " % of faces"), verdict});
    }
    end_table();
  }

  void curves() {
    out_ += "<div class=\"row\">\n";
    figure(
        draw_error_distribution(report_.methods),
        "Cumulative error distribution: share of faces with an NME up to the value on the axis; exact AUC.");
    figure(
        draw_landmark_errors(report_.database, evaluation_),
        "Mean error of each landmark, drawn on the mean face: the larger and darker, the larger the error.");
    out_ += "</div>\n";
  }

  void dependence() {
    section("What the error depends on");
    out_ += "<div class=\"row\">\n";
    figure(draw_error_by_yaw(evaluation_, report_.truth),
           "Error against the true yaw. Dots are faces (the uppermost hundredth lies at the frame), curves "
           "the median "
           "and the 90th percentile of equally filled bins.");
    figure(draw_error_by_size(evaluation_, report_.truth),
           "Error against the size of the face (square root of its box's area).");
    figure(draw_point_error_by_yaw(evaluation_),
           "Mean error of the annotated landmarks in per cent of the box, by absolute true yaw: mean of each "
           "group of faces, and 25th to 75th percentile.");
    figure(draw_told_yaw(evaluation_, report_.truth),
           "Told against true yaw: where the median leaves the dashed line, angles saturate.");
    out_ += "</div>\n";
    for (const Breakdown& breakdown : evaluation_.breakdowns) breakdown_table(breakdown);
  }

  static std::string cell(double value, int digits) {
    return std::isfinite(value) ? fixed(value, digits) : "–";
  }

  void breakdown_table(const Breakdown& breakdown) {
    const bool size = breakdown.by == "size";
    std::string caption =
        concat(size ? "By size, the side sqrt(w h) of the tight box in pixels"
                    : concat("By absolute true ", breakdown.by, " in degrees"),
               ": mean error of the annotated landmarks in per cent of the box, and the published figure.");
    if (evaluation_.head_pose) {
      caption +=
          " Mean absolute error of the angles; bias is told less true angle, negative where it is told too "
          "near to zero.";
    }
    if (evaluation_.uncertainty) {
      caption += concat(" Share of landmarks whose error is within 1 and 2 sigma (nominal ",
                        fixed(100 * kNominalOneSigma, 1), " and ", fixed(100 * kNominalTwoSigmas, 1),
                        " %); mean told uncertainty and mean error in per cent of the norm.");
    }
    if (breakdown.left_out > 0) caption += concat(' ', breakdown.left_out, " faces have no true pose.");
    std::vector<std::string> header = {breakdown.by, "faces", "missed", "% of box", "NME"};
    if (evaluation_.head_pose) {
      header.insert(header.end(), {"yaw MAE", "yaw bias", "pitch MAE", "roll MAE", "roll bias"});
    }
    if (evaluation_.uncertainty) header.insert(header.end(), {"in 1 σ", "in 2 σ", "told", "error"});
    begin_table(caption, header);
    for (const FaceGroup& group : breakdown.groups) group_row(group);
    end_table();
  }

  void degradations() {
    if (!method_.degradations) return;
    const DegradationScores& degraded = *method_.degradations;
    section("Degraded pictures");
    double top = 1;
    for (const DegradationCurve& curve : degraded.curves) {
      for (const DegradedScores& scores : curve.scores) top = std::max(top, 1.05 * scores.point_error);
    }
    out_ += "<figure><div class=\"row\">\n";
    for (const DegradationCurve& curve : degraded.curves) {
      out_ += draw_degradation(curve, degraded.clean, std::min(top, 8 * degraded.clean.point_error));
    }
    out_ +=
        concat("</div><figcaption><b>Figure ", ++figures_,
               ".</b> Mean error of the annotated landmarks in per cent of the box against the steps of each "
               "degradation; 0 is the picture as it is. What lies above the frame is cut off.</figcaption>"
               "</figure>\n");
    begin_table(
        concat("The same ", degraded.faces, " faces, brought to ", kDegradedFacePx,
               " pixels and degraded, in the tight boxes of their landmarks: error in per cent of the "
               "box, published figure, what each adds to the picture as it is, and exact failure rate "
               "in per cent. The middle strength is shaded."),
        {"degradation", "strength", "% of box", "added", "NME", "added", "exact FR"});
    const DegradedScores& clean = degraded.clean;
    row({"none", "", cell(clean.point_error, 3), "", cell(clean.nme, 3), "", cell(clean.failure_rate, 1)});
    for (const DegradationCurve& curve : degraded.curves) degradation_rows(curve, clean);
    end_table();
  }

  void degradation_rows(const DegradationCurve& curve, const DegradedScores& clean) {
    for (std::size_t i = 0; i < curve.scores.size(); ++i) {
      const DegradedScores& scores = curve.scores[i];
      row({i == 0 ? concat(curve.degradation.name, " (", curve.degradation.unit, ")") : "",
           number(scores.strength), cell(scores.point_error, 3),
           cell(scores.point_error - clean.point_error, 3), cell(scores.nme, 3),
           cell(scores.nme - clean.nme, 3), cell(scores.failure_rate, 1)},
          i == curve.degradation.middle());
    }
  }

  void group_row(const FaceGroup& group) {
    if (group.members.empty() && group.missed == 0) return;
    std::vector<std::string> cells = {range_text(group), concat(group.members.size()), concat(group.missed),
                                      cell(group.point_error, 3), cell(group.nme, 3)};
    const auto& [yaw, pitch, roll] = group.angles;
    if (evaluation_.head_pose) {
      cells.insert(cells.end(), {cell(yaw.mean_absolute, 2), cell(yaw.bias, 2), cell(pitch.mean_absolute, 2),
                                 cell(roll.mean_absolute, 2), cell(roll.bias, 2)});
    }
    if (evaluation_.uncertainty) {
      const Coverage& coverage = group.coverage;
      cells.insert(cells.end(), {cell(100 * coverage.within_one_sigma, 1) + " %",
                                 cell(100 * coverage.within_two_sigmas, 1) + " %",
                                 cell(coverage.mean_uncertainty, 2), cell(coverage.mean_error, 2)});
    }
    row(cells);
  }

  void head_pose() {
    if (!evaluation_.head_pose) return;
    section("Head pose");
    const HeadPoseScores& pose = *evaluation_.head_pose;
    std::vector<std::string> header = {"angle", "MAE [deg]", "label", "label ± 1"};
    for (double limit : kPoseLimits) header.push_back(concat("within ", number(limit), "°"));
    begin_table(
        concat(
            pose.faces, " faces",
            evaluation_.derived_poses ? concat("; for ", evaluation_.derived_poses,
                                               " of them the true pose is POSIT's of the annotated landmarks")
                                      : "",
            ". Mean absolute error; share of faces whose nearest label of -90, -75, … 90 degrees is right, "
            "and right or next to it; success rates (published definition). The mean error of the three "
            "angles is ",
            fixed(pose.mean_absolute_error, 3), " degrees."),
        header);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const AngleScores& angle = pose.angles[axis];
      std::vector<std::string> cells = {kAngleNames[axis], fixed(angle.mean_absolute_error, 3),
                                        fixed(100 * angle.label_accuracy, 1) + " %",
                                        fixed(100 * angle.adjacent_accuracy, 1) + " %"};
      for (double success : angle.success) cells.push_back(fixed(100 * success, 1) + " %");
      row(cells);
    }
    end_table();
    out_ += "<figure><div class=\"row\">\n";
    for (std::size_t axis = 0; axis < 3; ++axis) out_ += draw_pose_confusion(pose, axis);
    out_ +=
        concat("</div><figcaption><b>Figure ", ++figures_,
               ".</b> Faces by the nearest label of the annotated (row) and the predicted angle (column), in "
               "degrees; the colour is the share of the row.</figcaption></figure>\n");
  }

  void uncertainty() {
    if (!evaluation_.uncertainty) return;
    section("Uncertainty");
    out_ += "<div class=\"row\">\n";
    figure(draw_uncertainty(evaluation_),
           concat("True error against predicted uncertainty in ten equally filled bins of ",
                  evaluation_.uncertainty->landmarks,
                  " landmarks: mean, and 25th to 75th percentile. Rank correlation (Spearman) ",
                  fixed(evaluation_.uncertainty->landmark_rank_correlation, 3), " over landmarks, ",
                  fixed(evaluation_.uncertainty->face_rank_correlation, 3),
                  " over the means of faces; mean uncertainty ",
                  fixed(evaluation_.uncertainty->mean_uncertainty, 2), " %, mean error ",
                  fixed(evaluation_.uncertainty->mean_error, 2), " % of the norm."));
    const Coverage& coverage = evaluation_.uncertainty->coverage;
    figure(
        draw_coverage_by_yaw(evaluation_),
        concat("Share of landmarks whose error is within 1 and 2 sigma of the told uncertainty (an expected "
               "error of sigma sqrt(pi/2)), by absolute true yaw. Over all: ",
               fixed(100 * coverage.within_one_sigma, 1), " % within 1 sigma (nominal ",
               fixed(100 * kNominalOneSigma, 1), "), ", fixed(100 * coverage.within_two_sigmas, 1),
               " % within 2 sigma (nominal ", fixed(100 * kNominalTwoSigmas, 1), ")."));
    out_ += "</div>\n";
  }

  void face_tile(std::size_t index) {
    const FaceResult& face = evaluation_.faces[index];
    const auto& truth = report_.truth.faces[index];
    std::string about = face.missed ? "missed" : concat("NME ", number(face.nme), " %");
    if (face.pose) about += concat(", yaw ", number((*face.pose)[0], 0), "°");
    out_ +=
        concat("<figure>",
               draw_face(report_.database, truth, method_.predictions.faces[face.prediction],
                         report_.jpeg_of_region),
               "<figcaption>", about, "<br>", escape(std::filesystem::path(truth.image).filename().string()),
               "</figcaption></figure>\n");
  }

  void face_grid(const std::vector<std::size_t>& faces) {
    out_ += "<div class=\"faces\">\n";
    for (std::size_t index : faces) face_tile(index);
    out_ += "</div>\n";
  }

  void faces() {
    const std::vector<std::size_t> worst = worst_faces(evaluation_, kFacesShown);
    section("The worst faces");
    out_ += concat("<p>The ", worst.size(),
                   " faces with the largest NME. <b class=\"truth\">Blue</b>: annotation; ",
                   "<b class=\"prediction\">yellow</b>: prediction.</p>\n");
    face_grid(worst);
    std::vector<std::size_t> missed;
    for (std::size_t i = 0; i < evaluation_.faces.size(); ++i) {
      if (evaluation_.faces[i].missed) missed.push_back(i);
    }
    if (missed.empty()) return;
    section("Missed faces");
    out_ += concat("<p>", missed.size(), " faces that the detector did not find",
                   missed.size() > kFacesShown ? concat("; the first ", kFacesShown) : "", ".</p>\n");
    missed.resize(std::min(missed.size(), kFacesShown));
    face_grid(missed);
  }

  void landmark_table() {
    section("Every landmark");
    out_ += "<details><summary>Table of all landmarks</summary>\n";
    begin_table("Error of each landmark in per cent of the norm.",
                {"landmark", "faces", "mean", "90th pct.", "95th pct.", "99th pct."});
    for (const LandmarkScores& landmark : evaluation_.landmarks) {
      row({concat(landmark.id), concat(landmark.faces), fixed(landmark.nme.mean, 3),
           fixed(landmark.nme.p90, 2), fixed(landmark.nme.p95, 2), fixed(landmark.nme.p99, 2)});
    }
    end_table();
    out_ += "</details>\n";
  }

  const Report& report_;
  const Method& method_;
  const Evaluation& evaluation_;
  std::string out_;
  std::string caption_;  // of the table that is open
  int tables_ = 0;
  int figures_ = 0;
};

}  // namespace

std::string html_report(const Report& report) { return Page(report).build(); }

}  // namespace spiga::eval
