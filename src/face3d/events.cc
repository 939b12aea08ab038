// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "face3d/events.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace spiga {
namespace face3d {
namespace {

constexpr float kClosedBelow = 0.5f;  // of the person's open eye
constexpr float kLeastFall = 0.2f, kMostFall = 0.5f;
constexpr double kLongestBlink_s = 0.5, kRemembered_s = 3;
constexpr std::size_t kFewestSeen = 16, kMostSeen = 64;
constexpr double kSwing_deg = 3, kLongestSwing_s = 0.6, kMostSwing_deg = 40;
constexpr int kSwings = 3;

}  // namespace

BlinkFinder::Levels BlinkFinder::levels() const {
  float level = 1, fall = kMostFall;
  if (seen_.size() >= kFewestSeen) {
    std::vector<float> values, changes;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      values.push_back(seen_[i].open);
      if (i > 0) changes.push_back(std::abs(seen_[i].open - seen_[i - 1].open));
    }
    const auto quantile = [](std::vector<float>& list, double share) {
      const auto at =
          list.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(list.size() - 1));
      std::nth_element(list.begin(), at, list.end());
      return *at;
    };
    level = std::clamp(quantile(values, 0.5), 0.1f, 1.5f);
    const float trembling = 1.4826f / std::numbers::sqrt2_v<float> * quantile(changes, 0.5);
    fall = std::clamp(5 * trembling / level, kLeastFall, kMostFall);
  }
  return {level * (1 - fall), level * (1 - 0.7f * fall)};
}

void BlinkFinder::remember(double time_s, float open) {
  std::erase_if(seen_, [time_s](const Sample& sample) { return time_s - sample.time_s > kRemembered_s; });
  if (seen_.size() >= kMostSeen) seen_.erase(seen_.begin());
  seen_.push_back({time_s, open});
}

void BlinkFinder::add(double time_s, float open, std::vector<FaceEvent>& events) {
  const Levels now = levels();
  if (!closed_ && open < now.close) {
    closed_ = true;
    closed_since_s_ = time_s;
    open_above_ = now.open;
  } else if (closed_ && open > open_above_) {
    closed_ = false;
    if (time_s - closed_since_s_ <= kLongestBlink_s)
      events.push_back({FaceEventKind::blink, closed_since_s_, time_s});
  } else if (closed_ && open > kClosedBelow && time_s - closed_since_s_ > kLongestBlink_s) {
    closed_ = false;  // narrowed, not closed: that is their level from now on
    seen_.clear();
  }
  remember(time_s, open);
}

void SwingFinder::forget() {
  begun_ = told_ = false;
  direction_ = swings_ = 0;
  strength_ = 0;
}

void SwingFinder::add(double time_s, double angle_deg, std::vector<FaceEvent>& events) {
  if (!begun_) {
    begun_ = true;
    extreme_deg_ = turned_deg_ = angle_deg;
    extreme_s_ = turned_s_ = time_s;
    return;
  }
  const double from_extreme = std::remainder(angle_deg - extreme_deg_, 360.0);
  if (direction_ == 0 || from_extreme * direction_ > 0) {  // goes on
    if (direction_ == 0 && std::abs(from_extreme) < kSwing_deg) {
      if (time_s - extreme_s_ > kLongestSwing_s) {  // rests: begin anew from here
        extreme_deg_ = turned_deg_ = angle_deg;
        extreme_s_ = turned_s_ = time_s;
      }
      return;
    }
    if (direction_ == 0) direction_ = from_extreme > 0 ? 1 : -1;
    extreme_deg_ = angle_deg;
    extreme_s_ = time_s;
    return;
  }
  if (time_s - extreme_s_ > kLongestSwing_s) {  // rests at the extreme
    forget();
    return;
  }
  if (std::abs(from_extreme) < kSwing_deg) return;
  // It has turned round at the extreme: one swing is over.
  const double swing = std::abs(std::remainder(extreme_deg_ - turned_deg_, 360.0));
  const bool fits =
      swing >= kSwing_deg && swing <= kMostSwing_deg && extreme_s_ - turned_s_ <= kLongestSwing_s;
  if (fits) {
    if (swings_ == 0) {
      first_s_ = turned_s_;
      strength_ = 0;
    }
    ++swings_;
    strength_ = std::max(strength_, swing);
  } else {
    swings_ = 0;
    told_ = false;
  }
  turned_deg_ = extreme_deg_;
  turned_s_ = extreme_s_;
  extreme_deg_ = angle_deg;
  extreme_s_ = time_s;
  direction_ = -direction_;
  if (swings_ >= kSwings && !told_) {
    told_ = true;
    events.push_back({kind_, first_s_, time_s});
  }
}

}  // namespace face3d

const char* name_of(FaceEventKind kind) {
  switch (kind) {
    case FaceEventKind::blink:
      return "blink";
    case FaceEventKind::nod:
      return "nod";
    case FaceEventKind::shake:
      return "shake";
  }
  return "";
}

}  // namespace spiga
