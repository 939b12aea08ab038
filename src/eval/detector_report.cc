// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/detector_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "charts/page.h"
#include "charts/plot.h"
#include "charts/svg.h"
#include "eval/text_report.h"
#include "geometry/boxes.h"

namespace spiga::eval {
namespace {

using base::concat;
using charts::Coordinate;
using charts::escape;
using charts::fixed;

constexpr double kOthersPerPicture[] = {0.01, 0.1, 0.3, 1};
constexpr double kFewestOthers = 0.01;  // of FROC's axis
constexpr double kWantedPrecision = 0.97;
constexpr std::size_t kPicturesShown = 60;

// Figures of a run in the tables' order, as they are shown.
struct Row {
  std::string name;
  std::vector<std::string> cells;
};

std::vector<std::string> header(const DetectorReport& report) {
  std::vector<std::string> names = {"detector", "faces", "recall %", "others"};
  if (report.list.complete)
    names.insert(names.end(), {"precision %", "AP %", "F1 %", "best F1 % (at)", "recall at 97 % (at)"});
  names.insert(names.end(), {"ms/picture", "ms/megapixel"});
  return names;
}

std::string at(double value, const std::optional<DetectorScores::Point>& point) {
  return point ? concat(fixed(100 * value, 1), " (", fixed(point->score, 2), ")") : std::string("-");
}

Row row_of(const DetectorReport& report, const DetectorRun& run) {
  const auto rates = run.scores.rates(report.score);
  Row row = {run.name,
             {concat(run.scores.faces().size()), fixed(100 * rates.recall, 1), concat(rates.others)}};
  if (report.list.complete) {
    const auto best = run.scores.best_f1(), wanted = run.scores.at_precision(kWantedPrecision);
    const std::string more[] = {fixed(100 * rates.precision, 1),
                                fixed(100 * run.scores.average_precision(), 1),
                                fixed(100 * f1({0, rates.recall, rates.precision, 0}), 1),
                                at(best ? f1(*best) : 0, best), at(wanted ? wanted->recall : 0, wanted)};
    row.cells.insert(row.cells.end(), std::begin(more), std::end(more));
  }
  row.cells.push_back(
      fixed(1e3 * run.seconds / std::max<double>(1, static_cast<double>(run.scores.pictures())), 1));
  row.cells.push_back(fixed(1e3 * run.seconds / std::max(1e-9, run.megapixels), 1));
  return row;
}

std::string share(const DetectedGroup& group) {
  return concat(group.found, " / ", group.all, " (",
                fixed(100.0 * static_cast<double>(group.found) / static_cast<double>(group.all), 1), " %)");
}

std::vector<std::vector<DetectedGroup>> all_groups(const DetectorReport& report) {
  std::vector<std::vector<DetectedGroup>> groups;
  for (const DetectorRun& run : report.runs) groups.push_back(groups_of(run.scores, report.score));
  return groups;
}

// Of a run's groups, the one of that name: turned faces have other heights, so that not all runs have all.
std::string share_in(const std::vector<DetectedGroup>& groups, const std::string& name) {
  for (const DetectedGroup& group : groups)
    if (group.name == name) return share(group);
  return "-";
}

std::vector<std::string> group_names(const std::vector<std::vector<DetectedGroup>>& groups) {
  std::vector<std::string> names;
  for (const auto& of_run : groups) {
    auto place = names.begin();
    for (const DetectedGroup& group : of_run) {
      const auto found = std::ranges::find(names, group.name);
      place = found != names.end() ? found + 1 : names.insert(place, group.name) + 1;
    }
  }
  return names;
}

std::string html_table(const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const char* cell = r == 0 ? "th" : "td";
    out += "<tr>";
    for (const std::string& text : rows[r]) out += concat("<", cell, ">", escape(text), "</", cell, ">");
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

std::vector<std::vector<std::string>> run_rows(const DetectorReport& report) {
  std::vector<std::vector<std::string>> rows = {header(report)};
  for (const DetectorRun& run : report.runs) {
    Row row = row_of(report, run);
    row.cells.insert(row.cells.begin(), row.name);
    rows.push_back(std::move(row.cells));
  }
  return rows;
}

std::vector<std::vector<std::string>> group_rows(const DetectorReport& report) {
  const auto groups = all_groups(report);
  std::vector<std::vector<std::string>> rows = {{"found"}};
  for (const DetectorRun& run : report.runs) rows.front().push_back(run.name);
  for (const std::string& name : group_names(groups)) {
    auto& row = rows.emplace_back(std::vector<std::string>{name});
    for (const auto& of_run : groups) row.push_back(share_in(of_run, name));
  }
  return rows;
}

std::string summary(const DetectorReport& report) {
  std::string text = concat(report.list.source, ": ", report.list.scenes.size(),
                            " pictures; found from an overlap (IoU) of ", fixed(report.least_overlap, 2),
                            " on, score ", fixed(report.score, 2), " or more.");
  if (!report.list.complete)
    text += " Not every face of these pictures is annotated: others are finds that meet no annotated one.";
  return text;
}

std::string curves(const DetectorReport& report) {
  std::string out = "<div class=\"row\">\n";
  charts::Plot precision(520, 340, "precision by recall", {"recall", 0, 1}, {"precision", 0, 1});
  charts::Plot froc(520, 340, "recall by false finds a picture",
                    {"false finds a picture", kFewestOthers, 3, true}, {"recall", 0, 1});
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    std::vector<Coordinate> by_recall, by_others;
    for (const auto& point : report.runs[i].scores.curve()) {
      by_recall.push_back({point.recall, point.precision});
      by_others.push_back({std::max(kFewestOthers, point.others_per_picture), point.recall});
    }
    precision.curve(by_recall, charts::palette(i), report.runs[i].name);
    froc.curve(by_others, charts::palette(i), report.runs[i].name);
  }
  if (report.list.complete)
    out += concat("<figure>", std::move(precision).finish(),
                  "<figcaption>Precision by recall.</figcaption></figure>\n");
  return out + concat("<figure>", std::move(froc).finish(),
                      "<figcaption>Recall by false finds a picture (FROC).</figcaption></figure>\n</div>\n");
}

std::string figure(const DetectorReport& report, const std::string& image, const Box& box,
                   const std::string& caption) {
  constexpr int kSide = 160;
  const Box square = geometry::square_around(box, 2.2);
  const annotations::Rect region = {square.x, square.y, std::max(square.width, 1.0F),
                                    std::max(square.height, 1.0F)};
  charts::Svg svg(kSide, kSide, caption);
  const std::string jpeg = report.jpeg_of_region(image, region, kSide);
  svg.image(0, 0, kSide, kSide, "image/jpeg", jpeg);
  const double scale = kSide / region.width;
  svg.rect(scale * (box.x - region.x), scale * (box.y - region.y), scale * box.width, scale * box.height,
           R"(fill="none" stroke="#ffb000" stroke-width="2")");
  return concat("<figure>", std::move(svg).finish(), "<figcaption>", escape(caption),
                "</figcaption></figure>\n");
}

struct Shown {
  std::size_t scene;
  Box box;
  std::string caption;
};

std::string gallery(const DetectorReport& report, const std::string& title, const std::vector<Shown>& all) {
  const std::size_t count = std::min(all.size(), kPicturesShown);
  std::string out = concat("<h2>", title, "</h2>\n<p class=\"lead\">", count, " of ", all.size(),
                           ".</p>\n<div class=\"faces\">\n");
  for (std::size_t i = 0; i < count; ++i) {
    const Shown& one = all[i * all.size() / count];
    out += figure(report, report.list.scenes[one.scene].image, one.box, one.caption);
  }
  return out + "</div>\n";
}

std::string galleries(const DetectorReport& report) {
  const DetectorScores& scores = report.runs.front().scores;
  std::vector<Shown> missed, others;
  for (const FaceToFind& one : scores.faces())
    if (one.score < report.score)
      missed.push_back(
          {one.scene, one.face.box,
           concat(fixed(one.face.box.height, 0), " px, ",
                  std::isinf(one.score) ? std::string("not found") : concat("score ", fixed(one.score, 2)),
                  ", ", report.list.scenes[one.scene].image)});
  for (const JudgedDetection& one : scores.judged())
    if (one.face < 0 && one.detection.score >= report.score)
      others.push_back(
          {one.scene, one.detection.box,
           concat("score ", fixed(one.detection.score, 2), ", ", fixed(one.detection.box.height, 0), " px, ",
                  report.list.scenes[one.scene].image)});
  const std::string name = escape(report.runs.front().name);
  return gallery(report, "Missed by " + name, missed) +
         gallery(report, concat("Finds of ", name, " that meet no annotated face"), others);
}

}  // namespace

std::string detector_text(const DetectorReport& report) {
  return concat(summary(report), "\n\n", align_columns(run_rows(report)), '\n',
                align_columns(group_rows(report)));
}

std::string detector_json(const DetectorReport& report) {
  nlohmann::ordered_json out = {{"annotations", report.list.source}, {"pictures", report.list.scenes.size()},
                                {"complete", report.list.complete},  {"overlap", report.least_overlap},
                                {"min_score", report.score},         {"runs", nlohmann::json::array()}};
  for (const DetectorRun& run : report.runs) {
    const auto rates = run.scores.rates(report.score);
    nlohmann::ordered_json one = {{"detector", run.name},
                                  {"faces", run.scores.faces().size()},
                                  {"found", rates.found},
                                  {"others", rates.others},
                                  {"recall", rates.recall}};
    if (report.list.complete) {
      one["precision"] = rates.precision;
      one["average_precision"] = run.scores.average_precision();
      one["f1"] = f1({0, rates.recall, rates.precision, 0});
      if (const auto best = run.scores.best_f1())
        one["best_f1"] = {{"f1", f1(*best)}, {"score", best->score}};
    }
    for (const double others : kOthersPerPicture)
      one["recall_by_others_per_picture"].push_back({others, run.scores.recall_at_others(others)});
    for (const DetectedGroup& group : groups_of(run.scores, report.score))
      one["groups"].push_back({{"name", group.name}, {"found", group.found}, {"faces", group.all}});
    one["seconds"] = run.seconds;
    one["megapixels"] = run.megapixels;
    out["runs"].push_back(std::move(one));
  }
  return out.dump(2) + '\n';
}

std::string detector_html(const DetectorReport& report) {
  std::string body =
      concat("<p class=\"lead\">", escape(summary(report)), "</p>\n", html_table(run_rows(report)),
             curves(report), "<h2>Faces found</h2>\n", html_table(group_rows(report)));
  if (report.jpeg_of_region) body += galleries(report);
  return charts::html_page("Face detectors", body);
}

}  // namespace spiga::eval
