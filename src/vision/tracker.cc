// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/tracker.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "geometry/boxes.h"
#include "spiga/error.h"
#include "vision/hungarian.h"

namespace spiga::vision {
namespace {

// How much larger a lost face's box counts per second, when detections are matched: it may be anywhere near.
constexpr double kGrowthPerSecond = 2;

Box grown(const Box& box, double factor) {
  const double width = box.width * factor, height = box.height * factor;
  return {static_cast<float>(box.x + 0.5 * (box.width - width)),
          static_cast<float>(box.y + 0.5 * (box.height - height)), static_cast<float>(width),
          static_cast<float>(height)};
}

double share_inside(const Box& box, int width, int height) {
  const Box picture = {0, 0, static_cast<float>(width), static_cast<float>(height)};
  // A box larger than the picture counts by how much of the picture it covers.
  return geometry::overlap_of_smaller(box, picture);
}

// The box moved so that its centre lies in the picture.
Box held_inside(const Box& box, int width, int height) {
  const float x = box.x + 0.5f * box.width, y = box.y + 0.5f * box.height;
  return {box.x + std::clamp(x, 0.0f, static_cast<float>(width)) - x,
          box.y + std::clamp(y, 0.0f, static_cast<float>(height)) - y, box.width, box.height};
}

}  // namespace

void Tracker::end_old_tracks(double time_s) {
  std::erase_if(tracks_, [&](const Track& track) {
    const bool too_long = track.state == TrackState::lost && time_s - track.seen_s > rules_.keep_lost_s;
    return track.state == TrackState::ended || too_long;
  });
}

double Tracker::growth(const Track& track) const {
  return track.state == TrackState::lost ? 1 + kGrowthPerSecond * (time_s_ - track.seen_s) : 1;
}

// Gives detections to the tracks that they belong to; returns those that are left.
std::vector<Detection> Tracker::match(std::vector<Detection> detections, bool lost) {
  std::vector<Track*> candidates;
  for (Track& track : tracks_) {
    if ((track.state == TrackState::lost) == lost) candidates.push_back(&track);
  }
  std::vector<double> costs;
  for (const Track* track : candidates) {
    const double factor = growth(*track);
    for (const Detection& detection : detections) {
      const double iou =
          geometry::intersection_over_union(grown(track->looked_at, factor), grown(detection.box, factor));
      costs.push_back(iou >= rules_.match_overlap ? -iou : 0);
    }
  }
  const int rows = static_cast<int>(candidates.size()), columns = static_cast<int>(detections.size());
  const std::vector<int> column_of = assign(costs, rows, columns);
  std::vector<bool> taken(detections.size(), false);
  for (int row = 0; row < rows; ++row) {
    const int column = column_of[row];
    if (column < 0 || costs[static_cast<std::size_t>(row) * columns + column] == 0) continue;
    taken[column] = true;
    candidates[row]->score = detections[column].score;
    if (lost) candidates[row]->looked_at = detections[column].box;
  }
  std::vector<Detection> left;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    if (!taken[i]) left.push_back(detections[i]);
  }
  return left;
}

// Detectors find a face twice at times, smaller or larger than it is.
bool Tracker::explained(const Detection& detection) const {
  return std::ranges::any_of(tracks_, [&](const Track& track) {
    return track.state != TrackState::lost &&
           geometry::overlap_of_smaller(track.looked_at, detection.box) > rules_.same_face_overlap;
  });
}

std::vector<Look> Tracker::look(double time_s, int width, int height, std::span<const Detection> detections) {
  end_old_tracks(time_s);
  time_s_ = time_s;
  width_ = width;
  height_ = height;
  for (Track& track : tracks_) track.looked_at = held_inside(track.motion.at(time_s), width, height);
  std::vector<Detection> left(detections.begin(), detections.end());
  left = match(std::move(left), false);
  left = match(std::move(left), true);
  for (const Detection& detection : left) {
    if (full()) break;
    if (explained(detection)) continue;
    tracks_.push_back({.key = next_key_++,
                       .motion = BoxMotion(detection.box, time_s),
                       .looked_at = detection.box,
                       .score = detection.score,
                       .seen_s = time_s});
  }
  std::vector<Look> looks;
  for (const Track& track : tracks_) looks.push_back({track.key, track.looked_at, track.score});
  return looks;
}

// Whether landmarks are where they were looked for.
bool Tracker::fits(const Track& track, const Seen& seen) const {
  return geometry::intersection_over_union(seen.box, track.looked_at) >= rules_.least_step_overlap &&
         share_inside(seen.box, width_, height_) >= rules_.least_inside;
}

bool Tracker::passes(Track& track, const Seen& seen) const {
  if (!fits(track, seen)) return false;
  if (track.state != TrackState::followed)
    return seen.likelihood >= (track.id >= 0 ? rules_.return_likelihood : rules_.start_likelihood);
  track.doubted_in_row = seen.likelihood >= rules_.keep_likelihood ? 0 : track.doubted_in_row + 1;
  return track.doubted_in_row < rules_.doubt_frames;
}

// Of two tracks on one face, the one stays that was shown; of two such, the one that foresaw it better.
std::vector<bool> Tracker::without_doubles(std::span<const Seen> seen, std::vector<bool> found) const {
  const auto rank = [&](std::size_t i) {
    const bool shown = tracks_[i].state == TrackState::followed;
    const bool named = tracks_[i].id >= 0;
    return std::tuple(shown, named, geometry::intersection_over_union(seen[i].box, tracks_[i].looked_at));
  };
  for (std::size_t i = 0; i < seen.size(); ++i) {
    for (std::size_t j = i + 1; j < seen.size() && found[i]; ++j) {
      if (!found[j] || geometry::overlap_of_smaller(seen[i].box, seen[j].box) <= rules_.same_face_overlap)
        continue;
      found[rank(j) > rank(i) ? i : j] = false;
    }
  }
  return found;
}

bool Tracker::full() const {
  if (rules_.max_faces <= 0) return false;
  const auto named = std::ranges::count_if(
      tracks_, [](const Track& track) { return track.id >= 0 && track.state != TrackState::ended; });
  return named >= rules_.max_faces;
}

void Tracker::take(Track& track, const Seen& seen, bool found) {
  if (!found) {
    track.frames_in_row = 0;
    track.doubted_in_row = 0;
    track.state = track.id >= 0 ? TrackState::lost : TrackState::ended;
    return;
  }
  ++track.frames_in_row;
  if (track.state == TrackState::lost) {
    track.motion = BoxMotion(seen.box, time_s_);
  } else {
    track.motion.see(seen.box, time_s_);
  }
  track.seen_s = time_s_;
  const bool believed =
      track.id >= 0 || track.frames_in_row >= rules_.confirm_frames || track.score >= rules_.sure_score;
  if (!believed) return;
  if (track.id < 0 && full()) {
    track.state = TrackState::ended;
    return;
  }
  if (track.id < 0) track.id = next_id_++;
  track.state = TrackState::followed;
}

std::vector<Verdict> Tracker::update(std::span<const Seen> seen) {
  if (seen.size() != tracks_.size())
    throw Error(ErrorCode::invalid_argument,
                base::concat("tracker: expected ", tracks_.size(), " answers, found ", seen.size()));
  std::vector<bool> found(seen.size());
  for (std::size_t i = 0; i < seen.size(); ++i) found[i] = passes(tracks_[i], seen[i]);
  found = without_doubles(seen, std::move(found));
  std::vector<Verdict> verdicts;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    take(tracks_[i], seen[i], found[i]);
    verdicts.push_back({tracks_[i].state, tracks_[i].id});
  }
  return verdicts;
}

std::vector<Box> Tracker::occupied(double time_s) const {
  std::vector<Box> boxes;
  for (const Track& track : tracks_) {
    if (track.state == TrackState::followed) boxes.push_back(track.motion.at(time_s));
  }
  return boxes;
}

bool Tracker::misses_a_face() const {
  return std::ranges::any_of(tracks_, [](const Track& t) { return t.state == TrackState::lost; });
}

void Tracker::rescale(double x_factor, double y_factor) {
  for (Track& track : tracks_) track.motion.rescale(x_factor, y_factor);
}

}  // namespace spiga::vision
