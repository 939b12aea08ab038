// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "media/video_analyzer.h"
#include "scheme/scheme.h"
#include "spiga/face.h"
#include "spiga/image.h"

namespace spiga::cli {

// A page that tells a video's story: when each face was there, what it looked like, how its head turned. Its
// memory grows with the number of faces, not with the length of the video: curves keep 2,000 points at most.
class TrackSummary {
 public:
  // The database must outlive the summary.
  TrackSummary(const std::string& name, const scheme::Database& database)
      : name_(name), database_(database) {}

  void add(const media::AnalyzedFrame& frame);

  // One HTML page that needs no network.
  std::string html() const;

 private:
  struct Sample {
    double time_s;
    HeadPose pose;
    bool gap;  // the face was lost before
  };
  struct Track {
    double first_s = 0;
    double last_s = 0;
    std::int64_t frames = 0;
    std::int64_t lost_frames = 0;
    double confidence = 0;  // sum
    std::vector<Sample> samples;
    std::int64_t stride = 1;  // every so many frames have a sample
    bool lost = false;
    Image portrait;  // the most frontal view so far
    double portrait_turn_deg = 1000;
  };

  static void add_sample(Track& track, double time_s, const HeadPose& pose);
  void take_portrait(Track& track, const Image& picture, const TrackedFace& face) const;
  std::string timeline() const;
  std::string track_section(int id, const Track& track) const;
  std::string pose_plot(int id, const Track& track) const;

  std::string name_;
  const scheme::Database& database_;
  std::int64_t frames_ = 0;
  double end_s_ = 0;
  std::map<int, Track> tracks_;
};

}  // namespace spiga::cli
