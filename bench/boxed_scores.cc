// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "boxed_scores.h"

#include <algorithm>
#include <limits>

#include "geometry/boxes.h"

namespace spiga::bench {
namespace {

constexpr float kMissed = -std::numeric_limits<float>::infinity();

// Part of the box that lies in the place.
double part_in(const Box& box, const Box& place) {
  const double width = std::min(box.x + box.width, place.x + place.width) - std::max(box.x, place.x);
  const double height = std::min(box.y + box.height, place.y + place.height) - std::max(box.y, place.y);
  return std::max(0.0, width) * std::max(0.0, height) / std::max(1e-9, double{box.width} * box.height);
}

bool is_in_ignored(const BoxedScene& scene, const Box& box, double least) {
  const auto within = [&](const Box& place) {
    return geometry::intersection_over_union(place, box) >= least || part_in(box, place) > 0.5;
  };
  return std::ranges::any_of(scene.ignored, within) ||
         std::ranges::any_of(scene.faces, [&](const BoxedFace& f) { return f.ignored && within(f.box); });
}

}  // namespace

void BoxedTally::add(const BoxedScene& scene, std::size_t index, std::vector<Detection> detections) {
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

BoxedTally::Rates BoxedTally::rates(float score) const {
  Rates rates;
  for (const Judged& one : judged_) {
    if (one.detection.score < score) continue;
    ++(one.face >= 0 ? rates.found : rates.others);
  }
  const std::size_t finds = rates.found + rates.others;
  rates.recall =
      static_cast<double>(rates.found) / static_cast<double>(std::max<std::size_t>(1, faces_.size()));
  if (finds > 0) rates.precision = static_cast<double>(rates.found) / static_cast<double>(finds);
  return rates;
}

std::vector<std::pair<float, bool>> BoxedTally::sorted() const {
  std::vector<std::pair<float, bool>> finds;
  for (const Judged& one : judged_) finds.emplace_back(one.detection.score, one.face >= 0);
  std::ranges::sort(finds, std::ranges::greater());
  return finds;
}

double BoxedTally::average_precision() const {
  const auto finds = sorted();
  std::vector<double> precisions, recalls;
  double found = 0;
  for (std::size_t i = 0; i < finds.size(); ++i) {
    found += finds[i].second;
    precisions.push_back(found / static_cast<double>(i + 1));
    recalls.push_back(found / static_cast<double>(std::max<std::size_t>(1, faces_.size())));
  }
  double area = 0, best = 0;
  for (std::size_t i = finds.size(); i-- > 0;) {
    best = std::max(best, precisions[i]);
    area += best * (recalls[i] - (i > 0 ? recalls[i - 1] : 0));
  }
  return area;
}

float BoxedTally::best_score() const {
  const auto finds = sorted();
  double found = 0, best = -1;
  float score = 0;
  for (std::size_t i = 0; i < finds.size(); ++i) {
    found += finds[i].second;
    const double f1 = 2 * found / static_cast<double>(i + 1 + faces_.size());
    if (f1 > best) {
      best = f1;
      score = finds[i].first;
    }
  }
  return score;
}

std::pair<double, float> BoxedTally::recall_at(double precision) const {
  const auto finds = sorted();
  double found = 0;
  std::pair<double, float> best = {0, std::numeric_limits<float>::infinity()};
  for (std::size_t i = 0; i < finds.size(); ++i) {
    found += finds[i].second;
    if (found >= precision * static_cast<double>(i + 1))
      best = {found / static_cast<double>(std::max<std::size_t>(1, faces_.size())), finds[i].first};
  }
  return best;
}

}  // namespace spiga::bench
