// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/detector_cells.h"
#include "train/random.h"
#include "train/scenes.h"

namespace spiga::train {

// How training pictures are put together. Probabilities are per tile or, where said so, per face.
struct DetectorAugment {
  double tiles_2 = 0.35;  // probability that a picture is cut into 2 x 2 tiles, each with a scene of its own
  double tiles_4 = 0.15;  // ... into 4 x 4
  double background = 0.08;  // tiles without a face
  double text = 0.1;         // backgrounds that are letters and shapes on cloth
  double negatives =
      0.1;  // tiles with a place that was wrongly taken for a face in the middle, if there is one
  double at_edge = 0.1;          // tiles whose face may lie anywhere, cut by the edge or outside
  double smallest_px = 11;       // the face in the middle of things is at least that large ...
  double smallest_share = 0.14;  // ... at least this part of its tile's shorter side
  double largest_share = 1;  // ... and at most this part of its tile's shorter side; in between log-uniform
  double most_enlarged = 2.5;
  double mirror = 0.5;
  double upright = 0.5;  // turned N(upright_deg), otherwise U(-rotation_deg, rotation_deg)
  double upright_deg = 8;
  double rotation_deg = 45;
  double stretch = 0.1;     // width against height, factor 1 + U(-s, s)
  double occlusion = 0.25;  // per face: a patch over a part of it
  double grey = 0.12;
  double dark = 0.15;           // strongly darkened
  double cast = 0.3;            // a colour cast
  double contrast = 0.5;        // brightness and contrast
  double blur = 0.12;           // per picture
  double low_resolution = 0.1;  // per picture: shrunk up to four times, and enlarged again
  double noise = 0.2;           // per picture
  double jpeg = 0.25;           // per picture
};

// Calls visit(name, value, least, most) for every option: the names of [augment] in a detector's recipe.
template <typename Options, typename Visit>
void for_each_detector_option(Options& o, Visit&& visit) {
  visit("tiles_2", o.tiles_2, 0.0, 1.0);
  visit("tiles_4", o.tiles_4, 0.0, 1.0);
  visit("background", o.background, 0.0, 1.0);
  visit("text", o.text, 0.0, 1.0);
  visit("negatives", o.negatives, 0.0, 1.0);
  visit("at_edge", o.at_edge, 0.0, 1.0);
  visit("smallest_px", o.smallest_px, 4.0, 1000.0);
  visit("smallest_share", o.smallest_share, 0.0, 1.0);
  visit("largest_share", o.largest_share, 0.1, 2.0);
  visit("most_enlarged", o.most_enlarged, 0.5, 10.0);
  visit("mirror", o.mirror, 0.0, 1.0);
  visit("upright", o.upright, 0.0, 1.0);
  visit("upright_deg", o.upright_deg, 0.0, 180.0);
  visit("rotation_deg", o.rotation_deg, 0.0, 180.0);
  visit("stretch", o.stretch, 0.0, 0.5);
  visit("occlusion", o.occlusion, 0.0, 1.0);
  visit("grey", o.grey, 0.0, 1.0);
  visit("dark", o.dark, 0.0, 1.0);
  visit("cast", o.cast, 0.0, 1.0);
  visit("contrast", o.contrast, 0.0, 1.0);
  visit("blur", o.blur, 0.0, 1.0);
  visit("low_resolution", o.low_resolution, 0.0, 1.0);
  visit("noise", o.noise, 0.0, 1.0);
  visit("jpeg", o.jpeg, 0.0, 1.0);
}

// A face that is to be found.
struct SampleFace {
  Box box;
  std::array<Point, model::DetectorConfig::kPoints> points;  // NaN where they are not known
  bool exact = true;  // whether the box is that of landmarks; otherwise it is about there
};

// A square training picture and what is on it, in its pixel indices.
struct DetectorSample {
  int side = 0;
  std::vector<std::uint8_t> pixels;  // [side, side, 3], B G R
  std::vector<SampleFace> faces;     // to be found
  std::vector<Box> ignored;          // neither face nor background
};

// Files of scenes and how often scenes are drawn from each; within a file in proportion to the root of the
// number of faces on them, so that crowds are seen more often than single faces, but not as often as they are
// large.
class SceneSources {
 public:
  SceneSources(const SceneDataset& scenes) : SceneSources({scenes}, {1}) {}  // NOLINT: one file is a source
  // As many shares, of any sum above 0, as files.
  SceneSources(std::vector<SceneDataset> files, std::vector<double> shares);

  Scene any(Random& random) const;

 private:
  std::vector<SceneDataset> files_;
  std::vector<double> shares_;              // of sum 1
  std::vector<std::vector<double>> up_to_;  // of each file: sums of its scenes' weights
};

// Depends on nothing but its arguments. Thread-safe.
DetectorSample make_detector_sample(const SceneSources& scenes, const DetectorAugment& augment, int side,
                                    std::uint64_t seed);

// The five points of a face with the 68-point mark-up: middles of the person's right and left eye, tip of the
// nose, right and left corner of the mouth; NaN where a landmark that they follow from is.
std::array<Point, model::DetectorConfig::kPoints> five_points(const std::vector<Point>& landmarks);

}  // namespace spiga::train
