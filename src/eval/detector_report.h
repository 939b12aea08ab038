// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/detector_scores.h"
#include "eval/figures.h"

namespace spiga::eval {

// A detector on the pictures of a list.
struct DetectorRun {
  std::string name;  // "builtin normal", "dlib fast, turned by 45 degrees"
  DetectorScores scores;
  double seconds = 0, megapixels = 0;  // of detection alone
};

struct DetectorReport {
  const SceneList& list;
  std::span<const DetectorRun> runs;
  float score = 0;  // at which finds count
  double least_overlap = 0.5;
  JpegOfRegion jpeg_of_region = {};  // of upright pictures; empty: no pictures
};

// Tables for people: recall, precision, average precision, F1 and time of each run, then faces by size, blur,
// occlusion, pose and yaw.
std::string detector_text(const DetectorReport& report);
// The same figures, the curves' points at 0.1, 0.3, 1 false finds a picture, for programs.
std::string detector_json(const DetectorReport& report);
// One page that needs no network: the tables, precision by recall, recall by false finds a picture (FROC),
// and as pictures the faces that the first run missed and its finds that meet none, at most 60 of each,
// spread evenly over the list.
std::string detector_html(const DetectorReport& report);

}  // namespace spiga::eval
