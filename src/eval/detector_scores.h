// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/detector_scenes.h"
#include "spiga/detector.h"

// How well a detector finds the faces of pictures.
namespace spiga::eval {

// What became of a find: the face that it met, or none.
struct JudgedDetection {
  std::size_t scene = 0;
  Detection detection;
  int face = -1;  // of the scene; -1: no annotated face
};

struct FaceToFind {
  std::size_t scene = 0;
  SceneFace face;
  float score = 0;  // of what met it; minus infinity where nothing did
};

// Finds of all pictures, judged as WIDER FACE does: the surest first, each face is met once, from an overlap
// (intersection over union) of `least_overlap` on. What meets a face that is ignored, or lies in an ignored
// place, does not count, nor do second finds of it. Where lists leave faces out, precision and what follows
// from it are lower bounds.
class DetectorScores {
 public:
  explicit DetectorScores(double least_overlap) : least_(least_overlap) {}

  // The detections of a picture, in any order.
  void add(const Scene& scene, std::size_t index, std::vector<Detection> detections);

  struct Rates {
    double recall = 0, precision = 1;  // parts of 1
    std::size_t found = 0, others = 0;
  };
  // Of the finds that score at least that.
  Rates rates(float score) const;

  // Rates from the surest find on, one point for each score that occurs: precision by recall, and FROC
  // (recall by false finds a picture).
  struct Point {
    float score = 0;
    double recall = 0, precision = 1, others_per_picture = 0;
  };
  std::vector<Point> curve() const;
  // Area under the curve of precision by recall, all points, precision being that of the best point from
  // there on. Finds with a score below the lowest that was asked for are missing in it.
  double average_precision() const;
  // The point of best F1, and that of the largest recall at a precision of at least `precision`; nothing
  // where there is none.
  std::optional<Point> best_f1() const;
  std::optional<Point> at_precision(double precision) const;
  // The largest recall with at most so many false finds a picture.
  double recall_at_others(double per_picture) const;

  std::size_t pictures() const { return pictures_; }
  const std::vector<JudgedDetection>& judged() const { return judged_; }
  const std::vector<FaceToFind>& faces() const { return faces_; }

 private:
  double least_;
  std::size_t pictures_ = 0;
  std::vector<FaceToFind> faces_;
  std::vector<JudgedDetection> judged_;
};

double f1(const DetectorScores::Point& point);

// Faces of a kind ("height 20 to 40 px"), and how many of them were found at the score.
struct DetectedGroup {
  std::string name;
  std::size_t found = 0, all = 0;
};
// By height, and where they are known by blur, occlusion, pose and yaw; groups without a face are left out.
std::vector<DetectedGroup> groups_of(const DetectorScores& scores, float score);

}  // namespace spiga::eval
