// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/detector_scores.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/text.h"
#include "geometry/boxes.h"

namespace spiga::eval {
namespace {

constexpr float kMissed = -std::numeric_limits<float>::infinity();

// Part of the box that lies in the place.
double part_in(const Box& box, const Box& place) {
  const double width = std::min(box.x + box.width, place.x + place.width) - std::max(box.x, place.x);
  const double height = std::min(box.y + box.height, place.y + place.height) - std::max(box.y, place.y);
  return std::max(0.0, width) * std::max(0.0, height) / std::max(1e-9, double{box.width} * box.height);
}

bool is_in_ignored(const Scene& scene, const Box& box, double least) {
  const auto within = [&](const Box& place) {
    return geometry::intersection_over_union(place, box) >= least || part_in(box, place) > 0.5;
  };
  return std::ranges::any_of(scene.ignored, within) ||
         std::ranges::any_of(scene.faces, [&](const SceneFace& f) { return f.ignored && within(f.box); });
}

}  // namespace

void DetectorScores::add(const Scene& scene, std::size_t index, std::vector<Detection> detections) {
  ++pictures_;
  std::ranges::stable_sort(detections, std::greater<>(), &Detection::score);
  std::vector<float> met(scene.faces.size(), kMissed);
  for (const Detection& found : detections) {
    double best = 0;
    int face = -1;
    for (std::size_t i = 0; i < scene.faces.size(); ++i) {
      const double overlap = geometry::intersection_over_union(found.box, scene.faces[i].box);
      if (scene.faces[i].ignored || met[i] != kMissed || overlap < least_ || overlap <= best) continue;
      best = overlap;
      face = static_cast<int>(i);
    }
    if (face >= 0)
      met[static_cast<std::size_t>(face)] = found.score;
    else if (is_in_ignored(scene, found.box, least_))
      continue;
    judged_.push_back({index, found, face});
  }
  for (std::size_t i = 0; i < scene.faces.size(); ++i)
    if (!scene.faces[i].ignored) faces_.push_back({index, scene.faces[i], met[i]});
}

DetectorScores::Rates DetectorScores::rates(float score) const {
  Rates rates;
  for (const JudgedDetection& one : judged_) {
    if (one.detection.score < score) continue;
    ++(one.face >= 0 ? rates.found : rates.others);
  }
  const std::size_t finds = rates.found + rates.others;
  rates.recall =
      static_cast<double>(rates.found) / static_cast<double>(std::max<std::size_t>(1, faces_.size()));
  if (finds > 0) rates.precision = static_cast<double>(rates.found) / static_cast<double>(finds);
  return rates;
}

std::vector<DetectorScores::Point> DetectorScores::curve() const {
  std::vector<std::pair<float, bool>> finds;
  for (const JudgedDetection& one : judged_) finds.emplace_back(one.detection.score, one.face >= 0);
  std::ranges::sort(finds, std::ranges::greater());
  std::vector<Point> points;
  double found = 0;
  for (std::size_t i = 0; i < finds.size(); ++i) {
    found += finds[i].second;
    if (i + 1 < finds.size() && finds[i + 1].first == finds[i].first) continue;
    const auto count = static_cast<double>(i + 1);
    points.push_back({finds[i].first, found / static_cast<double>(std::max<std::size_t>(1, faces_.size())),
                      found / count,
                      (count - found) / static_cast<double>(std::max<std::size_t>(1, pictures_))});
  }
  return points;
}

double DetectorScores::average_precision() const {
  const std::vector<Point> points = curve();
  double area = 0, best = 0;
  for (std::size_t i = points.size(); i-- > 0;) {
    best = std::max(best, points[i].precision);
    area += best * (points[i].recall - (i > 0 ? points[i - 1].recall : 0));
  }
  return area;
}

double f1(const DetectorScores::Point& point) {
  return 2 * point.recall * point.precision / std::max(1e-12, point.recall + point.precision);
}

std::optional<DetectorScores::Point> DetectorScores::best_f1() const {
  const std::vector<Point> points = curve();
  const auto best = std::ranges::max_element(points, {}, [](const Point& p) { return f1(p); });
  return best == points.end() ? std::nullopt : std::optional(*best);
}

std::optional<DetectorScores::Point> DetectorScores::at_precision(double precision) const {
  std::optional<Point> best;
  for (const Point& point : curve())
    if (point.precision >= precision) best = point;
  return best;
}

double DetectorScores::recall_at_others(double per_picture) const {
  double recall = 0;
  for (const Point& point : curve())
    if (point.others_per_picture <= per_picture) recall = std::max(recall, point.recall);
  return recall;
}

std::vector<DetectedGroup> groups_of(const DetectorScores& scores, float score) {
  std::vector<DetectedGroup> groups;
  const auto add = [&](const std::string& name, const std::function<bool(const SceneFace&)>& belongs) {
    DetectedGroup group = {name};
    for (const FaceToFind& one : scores.faces())
      if (belongs(one.face)) {
        ++group.all;
        group.found += one.score >= score;
      }
    if (group.all > 0) groups.push_back(std::move(group));
  };
  const auto between = [](const char* title, double low, double high, const char* unit) {
    return std::isinf(high) ? base::concat(title, ' ', low, ' ', unit, " and more")
                            : base::concat(title, ' ', low, " to ", high, ' ', unit);
  };
  constexpr double kHeights[] = {0, 20, 40, 80, 160, INFINITY}, kYaws[] = {0, 20, 40, 60, INFINITY};
  for (std::size_t i = 0; i + 1 < std::size(kHeights); ++i)
    add(between("height", kHeights[i], kHeights[i + 1], "px"),
        [&](const SceneFace& f) { return f.box.height >= kHeights[i] && f.box.height < kHeights[i + 1]; });
  for (std::size_t i = 0; i + 1 < std::size(kYaws); ++i)
    add(between("yaw", kYaws[i], kYaws[i + 1], "degrees"),
        [&](const SceneFace& f) { return f.yaw_deg >= kYaws[i] && f.yaw_deg < kYaws[i + 1]; });
  add("not all landmarks annotated",
      [](const SceneFace& f) { return !f.landmarks.empty() && std::isnan(f.yaw_deg); });
  const auto attribute = [&](const char* title, int SceneFace::*value,
                             std::initializer_list<const char*> names) {
    int v = 0;
    for (const char* name : names) {
      add(base::concat(title, ' ', name), [&](const SceneFace& f) { return f.*value == v; });
      ++v;
    }
  };
  attribute("blur", &SceneFace::blur, {"none", "some", "heavy"});
  attribute("occlusion", &SceneFace::occlusion, {"none", "some", "heavy"});
  attribute("pose", &SceneFace::pose, {"usual", "odd"});
  add("clean, 40 px and more", [](const SceneFace& f) {
    return f.box.height >= 40 && f.blur == 0 && f.occlusion == 0 && f.pose == 0;
  });
  return groups;
}

}  // namespace spiga::eval
