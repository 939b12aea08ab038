// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "spiga/detector.h"
#include "vision/box_motion.h"

namespace spiga::vision {

// By which a Tracker decides; docs/video.md says why these.
struct TrackerRules {
  double keep_lost_s = 1;           // a face found again within this time keeps its id
  int max_faces = 0;                // that have an id at a time; 0: any number
  int confirm_frames = 3;           // a new face is shown when it was seen in so many frames in a row,
  float sure_score = 0.4f;          // or at once where the detector's score is this high
  double match_overlap = 0.3;       // a detection belongs to a track from this IoU on
  float start_likelihood = 0.5f;    // what a new face needs at least to be followed,
  float return_likelihood = 0.3f;   // what one needs that is lost,
  float keep_likelihood = 0.1f;     // and one that is followed: below
  int doubt_frames = 2;             // for so many frames in a row, it is lost
  double least_step_overlap = 0.4;  // IoU of where a face was looked for and where its landmarks are
  double least_inside = 0.5;        // share of the face's box that must lie in the picture
  double same_face_overlap = 0.6;   // tracks whose boxes overlap more (of the smaller) follow one face
};

enum class TrackState {
  tentative,  // seen, not yet believed; has no id
  followed,   // shown
  lost,       // still looked for
  ended,      // forgotten with this frame
};

// A place where the tracker wants a face looked for, and on whose behalf.
struct Look {
  std::int64_t track = 0;  // never used again after the track's end
  Box box;
  float score = 1;  // the detector's, of the last detection that belongs to the track
};

// What the network found there.
struct Seen {
  Box box;               // tight box of the landmarks
  float likelihood = 0;  // of being a face, 0 to 1
};

struct Verdict {
  TrackState state = TrackState::tentative;
  int id = -1;  // 0, 1, 2, ... in the order in which faces are confirmed
};

// Which box of this frame is which person of the last one: the bookkeeping of a video, without pictures or
// networks. A frame is one look() and one update(). One thread at a time.
class Tracker {
 public:
  explicit Tracker(const TrackerRules& rules = {}) : rules_(rules) {}

  // Where faces are to be looked for at `time_s` in a picture of that size: every track's foreseen place and
  // the detections that belong to no track, which become new ones. Frames without a run of the detector pass
  // no detections. Times must not run backwards.
  std::vector<Look> look(double time_s, int width, int height, std::span<const Detection> detections);

  // What was found, in the order of the last look()'s result; verdicts come in the same order.
  // Throws Error(invalid_argument) where the numbers differ.
  std::vector<Verdict> update(std::span<const Seen> seen);

  // Where faces are that a detector need not look for: followed tracks, foreseen at `time_s`.
  std::vector<Box> occupied(double time_s) const;
  // Whether a face is being looked for that was there a moment ago: a detector may help now.
  bool misses_a_face() const;

  // The picture's size changed: places move along.
  void rescale(double x_factor, double y_factor);

 private:
  struct Track {
    std::int64_t key;
    BoxMotion motion;
    Box looked_at;
    TrackState state = TrackState::tentative;
    int id = -1;
    float score = 1;
    double seen_s = 0;
    int frames_in_row = 0;
    int doubted_in_row = 0;
  };

  void end_old_tracks(double time_s);
  std::vector<Detection> match(std::vector<Detection> detections, bool lost);
  double growth(const Track& track) const;
  bool explained(const Detection& detection) const;
  bool fits(const Track& track, const Seen& seen) const;
  bool passes(Track& track, const Seen& seen) const;
  std::vector<bool> without_doubles(std::span<const Seen> seen, std::vector<bool> found) const;
  void take(Track& track, const Seen& seen, bool found);
  // Whether as many faces have an id as may.
  bool full() const;

  TrackerRules rules_;
  std::vector<Track> tracks_;  // in the order of the last look()
  double time_s_ = 0;
  int width_ = 0;
  int height_ = 0;
  std::int64_t next_key_ = 0;
  int next_id_ = 0;
};

}  // namespace spiga::vision
