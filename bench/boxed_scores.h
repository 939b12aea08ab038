// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spiga/detector.h"

// How well a detector does on pictures of which every face is boxed.
namespace spiga::bench {

struct BoxedFace {
  Box box;
  int blur = 0, occlusion = 0, pose = 0;  // as WIDER FACE has them: 0 none, 1 some (or odd pose), 2 heavy
  bool ignored = false;                   // nobody could tell, or it is too small to ask for
};

struct BoxedScene {
  std::string path;
  std::vector<BoxedFace> faces;
  std::vector<Box> ignored;  // places where nobody has looked
};

// What became of a find: the face that it met, or none.
struct Judged {
  std::size_t scene = 0;
  Detection detection;
  int face = -1;  // -1: no face
};

// Finds of all pictures, judged as WIDER FACE does: the surest first, each face is met once, from an overlap
// (IoU) of `least` on. What meets a face that is ignored, or lies in an ignored place, does not count, nor do
// second finds of it.
class BoxedTally {
 public:
  explicit BoxedTally(double least) : least_(least) {}

  // The detections of a picture, in any order.
  void add(const BoxedScene& scene, std::size_t index, std::vector<Detection> detections);

  struct Rates {
    double recall = 0, precision = 1;  // parts of 1
    std::size_t found = 0, others = 0;
  };
  // Of the finds that score at least that.
  Rates rates(float score) const;
  // Area under the curve of precision by recall, all points, precision being that of the best point from
  // there on. Finds with a score below the lowest that was asked for are missing in it.
  double average_precision() const;
  // The score of best F1.
  float best_score() const;
  // The largest recall at a precision of at least `precision`, and its score.
  std::pair<double, float> recall_at(double precision) const;

  // "found / all" of the faces that `belongs` is true of.
  template <typename Belongs>
  std::pair<int, int> found_of(float score, Belongs&& belongs) const {
    std::pair<int, int> counts = {0, 0};
    for (const Face& one : faces_)
      if (belongs(one.face)) {
        ++counts.second;
        counts.first += one.score >= score;
      }
    return counts;
  }

  std::size_t faces() const { return faces_.size(); }
  const std::vector<Judged>& judged() const { return judged_; }
  struct Face {
    std::size_t scene;
    BoxedFace face;
    float score;  // of what met it; below all scores where nothing did
  };
  const std::vector<Face>& all_faces() const { return faces_; }

 private:
  std::vector<std::pair<float, bool>> sorted() const;  // score, met a face

  double least_;
  std::vector<Face> faces_;
  std::vector<Judged> judged_;
};

}  // namespace spiga::bench
