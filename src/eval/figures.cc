// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "charts/face_drawing.h"
#include "charts/plot.h"
#include "charts/svg.h"
#include "eval/statistics.h"

namespace spiga::eval {
namespace {

using annotations::AnnotatedFace;
using annotations::FaceList;
using annotations::Rect;
using base::concat;
using charts::Axis;
using charts::Coordinate;
using charts::draw_contours;
using charts::draw_landmarks;
using charts::fixed;
using charts::heat;
using charts::kPalette;
using charts::kPredictionColour;
using charts::kTruthColour;
using charts::number;
using charts::palette;
using charts::Plot;
using charts::Svg;
using charts::ticks;

constexpr double kWide = 520, kHigh = 340;

// Values of y over bins of x that hold about equally many points each.
struct Bin {
  double x = 0;  // mean
  std::vector<double> y;
};

std::vector<Bin> equal_bins(std::vector<Coordinate> points, std::size_t count) {
  std::sort(points.begin(), points.end(), [](auto& a, auto& b) { return a.x < b.x; });
  count = std::min(count, points.size());
  std::vector<Bin> bins(count);
  for (std::size_t b = 0; b < count; ++b) {
    const std::size_t first = b * points.size() / count;
    const std::size_t last = (b + 1) * points.size() / count;
    for (std::size_t i = first; i < last; ++i) {
      bins[b].x += points[i].x / static_cast<double>(last - first);
      bins[b].y.push_back(points[i].y);
    }
  }
  return bins;
}

double largest_y(std::span<const Coordinate> points, double p) {
  std::vector<double> values;
  for (const Coordinate& point : points) values.push_back(point.y);
  return percentile(values, p);
}

// Every face as a dot, median and 90th percentile as curves.
std::string draw_scatter(const std::vector<Coordinate>& points, const std::vector<std::string>& tips, Axis x,
                         const std::string& title) {
  if (points.empty()) return "";
  const double top = std::max(largest_y(points, 99) * 1.2, 1.0);
  Plot plot(kWide, kHigh, title, x, {"NME [%]", 0, top});
  plot.dots(points, kPalette[0], 0.28, tips);
  std::vector<Coordinate> median, tail;
  for (const Bin& bin : equal_bins(points, std::clamp<std::size_t>(points.size() / 20, 1, 12))) {
    median.push_back({bin.x, percentile(bin.y, 50)});
    tail.push_back({bin.x, percentile(bin.y, 90)});
  }
  plot.curve(median, kPalette[1], "median");
  plot.curve(tail, kPalette[1], "90th percentile", true);
  return std::move(plot).finish();
}

std::string tip_of(const AnnotatedFace& face, double nme) {
  return concat(face.image, ": ", number(nme), " %");
}

// Landmarks in the database's order; NaN where the face does not have one.
std::vector<Coordinate> in_database_order(const scheme::Database& database, const AnnotatedFace& face) {
  std::vector<Coordinate> places(static_cast<std::size_t>(database.landmarks), {NAN, NAN});
  for (std::size_t i = 0; i < face.ids.size(); ++i) {
    places[static_cast<std::size_t>(database.index_of(face.ids[i]))] = face.landmarks[i];
  }
  return places;
}

// The square around the true and the predicted landmarks, with a margin; a wild prediction does not widen it
// beyond three times the true face.
Rect region_of(const AnnotatedFace& truth, const AnnotatedFace& prediction) {
  const Rect face = annotations::tight_box(truth.landmarks);
  const double widest = 3 * std::max(face.width, face.height);
  std::vector<Coordinate> all = truth.landmarks;
  all.insert(all.end(), prediction.landmarks.begin(), prediction.landmarks.end());
  const Rect both = annotations::tight_box(all);
  const double side = std::max(1.25 * std::min(std::max(both.width, both.height), widest), 1.0);
  const Rect& middle = std::max(both.width, both.height) > widest ? face : both;
  return {middle.x + (middle.width - side) / 2, middle.y + (middle.height - side) / 2, side, side};
}

}  // namespace

std::string draw_error_distribution(std::span<const Method> methods) {
  const double threshold = methods.front().evaluation.threshold;
  Plot plot(kWide, kHigh, "Cumulative error distribution", {"NME [%]", 0, threshold},
            {"share of faces", 0, 1});
  for (std::size_t m = 0; m < methods.size(); ++m) {
    const Evaluation& evaluation = methods[m].evaluation;
    std::vector<double> errors;
    for (const FaceResult& face : evaluation.faces) {
      if (!face.missed && face.nme <= threshold) errors.push_back(face.nme);
    }
    std::sort(errors.begin(), errors.end());
    std::vector<Coordinate> steps = {{0, 0}};
    for (std::size_t i = 0; i < errors.size(); ++i) {
      const auto faces = static_cast<double>(evaluation.faces.size());
      steps.push_back({errors[i], static_cast<double>(i) / faces});
      steps.push_back({errors[i], static_cast<double>(i + 1) / faces});
    }
    steps.push_back({threshold, steps.back().y});
    plot.curve(steps, palette(m), concat(methods[m].name, ", AUC ", fixed(evaluation.whole.exact.auc, 1)),
               m >= kPalette.size());
  }
  return std::move(plot).finish();
}

std::string draw_landmark_errors(const scheme::Database& database, const Evaluation& evaluation) {
  std::vector<Coordinate> mean_face;
  for (const scheme::Point3& point : database.mean_face) mean_face.push_back({point[0], -point[1]});
  const Rect box = annotations::tight_box(mean_face);
  const double scale = 300 / std::max(box.width, box.height);
  for (Coordinate& place : mean_face)
    place = {30 + (place.x - box.x) * scale, 24 + (place.y - box.y) * scale};
  double worst = 0;
  for (const LandmarkScores& landmark : evaluation.landmarks) {
    if (landmark.faces > 0) worst = std::max(worst, landmark.nme.mean);
  }
  if (worst == 0) return "";  // nothing located, or nothing wrong
  const double width = 30 + box.width * scale + 110;
  Svg svg(width, kHigh, "Mean error of each landmark on the mean face");
  draw_contours(database, mean_face, R"(fill="none" stroke="#bbb")", svg);
  for (std::size_t i = 0; i < mean_face.size(); ++i) {
    const LandmarkScores& landmark = evaluation.landmarks[i];
    if (landmark.faces == 0) continue;
    const double share = landmark.nme.mean / worst;
    svg.circle(mean_face[i], 2.5 + 5.5 * share,
               concat("fill=\"", heat(share), R"(" stroke="#444" stroke-width="0.5")"),
               concat("landmark ", landmark.id, ": ", number(landmark.nme.mean), " % (90th percentile ",
                      number(landmark.nme.p90), " %)"));
  }
  constexpr int kSteps = 50;
  for (int i = 0; i < kSteps; ++i) {
    svg.rect(width - 62, 270 - 4 * i, 14, 4.5, concat("fill=\"", heat((i + 0.5) / kSteps), '"'));
  }
  for (double tick : ticks(0, worst, 5)) {
    svg.text({width - 42, 278 - 200 * tick / worst}, number(tick), R"(class="tick")");
  }
  svg.text({width - 62, 62}, "NME [%]", R"(class="tick")");
  return std::move(svg).finish();
}

std::string draw_error_by_yaw(const Evaluation& evaluation, const FaceList& truth) {
  std::vector<Coordinate> points;
  std::vector<std::string> tips;
  double widest = 15;
  for (std::size_t i = 0; i < evaluation.faces.size(); ++i) {
    const FaceResult& face = evaluation.faces[i];
    if (face.missed || !face.pose) continue;
    points.push_back({(*face.pose)[0], face.nme});
    tips.push_back(tip_of(truth.faces[i], face.nme));
    widest = std::max(widest, std::abs((*face.pose)[0]));
  }
  widest = std::min(std::ceil(widest / 15) * 15, 180.0);
  return draw_scatter(points, tips, {"true yaw [degrees]", -widest, widest}, "Error against yaw");
}

namespace {

const Breakdown* breakdown_by(const Evaluation& evaluation, const std::string& name) {
  for (const Breakdown& breakdown : evaluation.breakdowns) {
    if (breakdown.by == name) return &breakdown;
  }
  return nullptr;
}

// Where a group of absolute yaws is drawn: the axis ends at 90 degrees.
double middle_of(const FaceGroup& group) { return (group.low + std::min(group.high, 90.0)) / 2; }

}  // namespace

std::string draw_point_error_by_yaw(const Evaluation& evaluation) {
  const Breakdown* by_yaw = breakdown_by(evaluation, "yaw");
  if (!by_yaw) return "";
  struct Quartiles {
    double low, high;
  };
  std::vector<Coordinate> means;
  std::vector<Quartiles> quartiles;
  double top = 1;
  for (const FaceGroup& group : by_yaw->groups) {
    if (group.members.empty()) continue;
    std::vector<double> errors;
    for (std::size_t member : group.members) errors.push_back(evaluation.faces[member].point_error);
    means.push_back({middle_of(group), group.point_error});
    quartiles.push_back({percentile(errors, 25), percentile(errors, 75)});
    top = std::max({top, 1.15 * means.back().y, 1.15 * quartiles.back().high});
  }
  if (means.empty()) return "";
  Plot plot(kWide, kHigh, "Error of the annotated landmarks by yaw", {"true yaw, absolute [degrees]", 0, 90},
            {"error [% of the box]", 0, top});
  for (std::size_t i = 0; i < means.size(); ++i) {
    plot.whisker(means[i].x, quartiles[i].low, means[i].y, quartiles[i].high, kPalette[0]);
  }
  plot.curve(means, kPalette[0], "mean of a group");
  return std::move(plot).finish();
}

std::string draw_told_yaw(const Evaluation& evaluation, const FaceList& truth) {
  std::vector<Coordinate> points;
  std::vector<std::string> tips;
  double widest = 15;
  for (std::size_t i = 0; i < evaluation.faces.size(); ++i) {
    const FaceResult& face = evaluation.faces[i];
    if (face.missed || !face.pose || !face.predicted_pose) continue;
    points.push_back({(*face.pose)[0], (*face.predicted_pose)[0]});
    tips.push_back(concat(truth.faces[i].image, ": true ", number(points.back().x, 1), ", told ",
                          number(points.back().y, 1)));
    widest = std::max({widest, std::abs(points.back().x), std::abs(points.back().y)});
  }
  if (points.empty()) return "";
  widest = std::min(std::ceil(widest / 15) * 15, 180.0);
  Plot plot(kWide, kHigh, "Told against true yaw", {"true yaw [degrees]", -widest, widest},
            {"told yaw [degrees]", -widest, widest});
  plot.dots(points, kPalette[0], 0.28, tips);
  plot.curve(std::vector<Coordinate>{{-widest, -widest}, {widest, widest}}, "#999", "told = true", true);
  std::vector<Coordinate> median;
  for (const Bin& bin : equal_bins(points, std::clamp<std::size_t>(points.size() / 20, 1, 12))) {
    median.push_back({bin.x, percentile(bin.y, 50)});
  }
  plot.curve(median, kPalette[1], "median");
  return std::move(plot).finish();
}

std::string draw_coverage_by_yaw(const Evaluation& evaluation) {
  const Breakdown* by_yaw = breakdown_by(evaluation, "yaw");
  if (!by_yaw) return "";
  std::vector<Coordinate> one, two;
  for (const FaceGroup& group : by_yaw->groups) {
    if (group.coverage.landmarks == 0) continue;
    one.push_back({middle_of(group), 100 * group.coverage.within_one_sigma});
    two.push_back({middle_of(group), 100 * group.coverage.within_two_sigmas});
  }
  if (one.empty()) return "";
  Plot plot(kWide, kHigh, "Coverage by yaw", {"true yaw, absolute [degrees]", 0, 90},
            {"landmarks within [%]", 0, 100});
  const auto level = [](double share) {
    return std::vector<Coordinate>{{0, 100 * share}, {90, 100 * share}};
  };
  plot.curve(two, kPalette[0], "2 sigma");
  plot.curve(one, kPalette[1], "1 sigma");
  plot.curve(level(kNominalTwoSigmas), kPalette[0], "nominal", true);
  plot.curve(level(kNominalOneSigma), kPalette[1], "nominal", true);
  return std::move(plot).finish();
}

std::string draw_error_by_size(const Evaluation& evaluation, const FaceList& truth) {
  std::vector<Coordinate> points;
  std::vector<std::string> tips;
  std::vector<double> sizes;
  for (std::size_t i = 0; i < evaluation.faces.size(); ++i) {
    if (evaluation.faces[i].missed) continue;
    const Rect box = *annotations::box_of(truth.faces[i]);
    sizes.push_back(std::sqrt(box.width * box.height));
    points.push_back({sizes.back(), evaluation.faces[i].nme});
    tips.push_back(tip_of(truth.faces[i], evaluation.faces[i].nme));
  }
  if (sizes.empty()) return "";
  const double least = *std::min_element(sizes.begin(), sizes.end());
  const double largest = std::max(percentile(sizes, 99), 1.5 * least);
  return draw_scatter(points, tips, {"face size [pixels]", 0.97 * least, 1.03 * largest, true},
                      "Error against face size");
}

std::string draw_degradation(const DegradationCurve& curve, const DegradedScores& clean, double top) {
  constexpr double kNarrow = 262, kLow = 210;
  const Degradation& degradation = curve.degradation;
  // Steps are drawn at equal distances: strengths may fall, and grow by factors.
  const auto last = static_cast<double>(curve.scores.size());
  Plot plot(kNarrow, kLow, degradation.name, {concat(degradation.name, ", step"), 0, last},
            {"error [% of the box]", 0, top});
  std::vector<Coordinate> points = {{0, clean.point_error}};
  std::vector<std::string> tips = {concat("none: ", number(clean.point_error), " %")};
  for (std::size_t i = 0; i < curve.scores.size(); ++i) {
    const DegradedScores& scores = curve.scores[i];
    points.push_back({static_cast<double>(i + 1), scores.point_error});
    tips.push_back(concat(number(scores.strength), " (", degradation.unit, "): ", number(scores.point_error),
                          " %, NME ", number(scores.nme), " %"));
  }
  plot.curve(points, kPalette[0], "");
  plot.dots(points, kPalette[0], 1, tips);
  return std::move(plot).finish();
}

std::string draw_pose_confusion(const HeadPoseScores& scores, std::size_t axis) {
  const auto& faces = scores.angles[axis].confusion;
  int first = kPoseLabels - 1;
  int last = 0;
  for (int row = 0; row < kPoseLabels; ++row) {
    for (int column = 0; column < kPoseLabels; ++column) {
      if (faces[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] == 0) continue;
      first = std::min({first, row, column});
      last = std::max({last, row, column});
    }
  }
  const int shown = last - first + 1;
  constexpr double kSide = 250, kMargin = 46;
  const double cell = kSide / shown;
  Svg svg(kSide + kMargin + 8, kSide + kMargin + 22, concat("Confusion of ", kAngleNames[axis]));
  for (int row = 0; row < shown; ++row) {
    const auto& line = faces[static_cast<std::size_t>(first + row)];
    const int total = std::max(std::accumulate(line.begin(), line.end(), 0), 1);
    const double y = 20 + row * cell;
    svg.text({kMargin - 6, y + cell / 2 + 4}, number(pose_label(first + row)),
             R"(class="tick" text-anchor="end")");
    svg.text({kMargin + (row + 0.5) * cell, 20 + kSide + 14}, number(pose_label(first + row)),
             R"(class="tick" text-anchor="middle")");
    for (int column = 0; column < shown; ++column) {
      const int count = line[static_cast<std::size_t>(first + column)];
      const double share = static_cast<double>(count) / total;
      const double x = kMargin + column * cell;
      svg.rect(x, y, cell, cell,
               concat("fill=\"", count ? heat(0.08 + 0.72 * share) : "#fff", R"(" stroke="#e4e4e4")"));
      if (count == 0) continue;
      svg.text({x + cell / 2, y + cell / 2 + 3.5}, concat(count),
               concat(R"(class="cell" text-anchor="middle" fill=")", share > 0.6 ? "#fff" : "#222", '"'));
    }
  }
  svg.text({kMargin + kSide / 2, 12}, kAngleNames[axis], R"(class="label" text-anchor="middle")");
  svg.text({kMargin + kSide / 2, kSide + kMargin + 2}, "predicted", R"(class="tick" text-anchor="middle")");
  svg.text({12, 20 + kSide / 2}, "annotated",
           concat(R"(class="tick" text-anchor="middle" transform="rotate(-90 12 )", 20 + kSide / 2, ")\""));
  return std::move(svg).finish();
}

std::string draw_uncertainty(const Evaluation& evaluation) {
  std::vector<Coordinate> points;  // uncertainty, error
  for (const FaceResult& face : evaluation.faces) {
    for (std::size_t k = 0; k < face.uncertainties.size(); ++k)
      points.push_back({face.uncertainties[k], face.landmark_errors[k]});
  }
  const std::vector<Bin> bins = equal_bins(points, 10);
  double widest = 1, top = 1;
  for (const Bin& bin : bins) {
    widest = std::max(widest, 1.1 * bin.x);
    top = std::max(top, 1.1 * percentile(bin.y, 75));
  }
  Plot plot(kWide, kHigh, "Uncertainty against true error", {"predicted uncertainty [% of norm]", 0, widest},
            {"true error [% of norm]", 0, top});
  const double end = std::min(widest, top);
  plot.curve(std::vector<Coordinate>{{0, 0}, {end, end}}, "#999", "uncertainty = error", true);
  std::vector<Coordinate> means;
  for (const Bin& bin : bins) {
    means.push_back({bin.x, mean(bin.y)});
    plot.whisker(bin.x, percentile(bin.y, 25), means.back().y, percentile(bin.y, 75), kPalette[0]);
  }
  plot.curve(means, kPalette[0], "mean of a tenth");
  return std::move(plot).finish();
}

std::string draw_face(const scheme::Database& database, const AnnotatedFace& truth,
                      const AnnotatedFace& prediction, const JpegOfRegion& jpeg_of_region) {
  constexpr double kSide = 172;
  const Rect region = region_of(truth, prediction);
  const std::string picture =
      jpeg_of_region ? jpeg_of_region(truth.image, region, static_cast<int>(kSide * 1.5)) : "";
  Svg svg(kSide, kSide, truth.image);
  svg.rect(0, 0, kSide, kSide, R"(fill="#20242a")");
  if (!picture.empty()) svg.image(0, 0, kSide, kSide, "image/jpeg", picture);
  const auto place = [&](const AnnotatedFace& face) {
    std::vector<Coordinate> places = in_database_order(database, face);
    for (Coordinate& p : places)
      p = {(p.x - region.x) / region.width * kSide, (p.y - region.y) / region.width * kSide};
    return places;
  };
  draw_landmarks(database, place(truth), kTruthColour, svg);
  if (!prediction.landmarks.empty()) draw_landmarks(database, place(prediction), kPredictionColour, svg);
  return std::move(svg).finish();
}

std::vector<std::size_t> worst_faces(const Evaluation& evaluation, std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < evaluation.faces.size(); ++i) {
    if (!evaluation.faces[i].missed) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return evaluation.faces[a].nme > evaluation.faces[b].nme;
  });
  order.resize(std::min(order.size(), count));
  return order;
}

}  // namespace spiga::eval
