// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "annotations/annotations.h"
#include "eval/evaluation.h"
#include "eval/predictor.h"
#include "scheme/scheme.h"
#include "spiga/image.h"

// The same faces in pictures made worse, step by step. A face is brought to the scale at which the larger
// side of its tight landmark box is kDegradedFacePx pixels, then degraded: a strength means the same on every
// face and every set.
namespace spiga::eval {

inline constexpr int kDegradedFacePx = 160;

struct Degradation {
  std::string name;               // one of degradation_names()
  std::string unit;               // of the strengths
  std::vector<double> strengths;  // from weak to strong

  std::size_t middle() const { return strengths.size() / 2; }
};

// blur, motion, noise, darkness, jpeg, size, roll, occlusion.
std::vector<std::string> degradation_names();

// Reads "all" or "NAME[,NAME]"; a NAME may bring its own strengths: "roll=30:60:90". Throws
// Error(invalid_argument) for an unknown or repeated name, or a strength that makes no sense.
std::vector<Degradation> parse_degradations(std::string_view text);

// A face on a square picture of its own; landmarks and box (their tight one) are in its pixels.
struct FacePatch {
  Image picture;  // bgr8
  annotations::AnnotatedFace face;
};

// Cuts the face out at the common scale, turned by `roll_deg` (positive: clockwise on the screen). What lies
// beyond the picture's edge is black. The face needs landmarks that are not all in one place.
FacePatch cut_patch(const ImageView& picture, const annotations::AnnotatedFace& face, double roll_deg = 0);

// Makes a patch worse, the same for the same seed; roll is no change of pixels but of cut_patch.
// blur: standard deviation of a Gaussian, per cent of the box; motion: length of a straight blur in a
// direction drawn from the seed, per cent of the box; noise: standard deviation in grey levels; darkness:
// stops of light taken away, with noise of 2 grey levels; jpeg: quality; size: pixels of the box's larger
// side that remain; occlusion: per cent of the box that a patch of one colour covers.
void degrade(std::string_view name, double strength, std::uint64_t seed, FacePatch& patch);

struct DegradedScores {
  double strength = 0;
  double nme = 0;           // the published figure, mean over faces
  double point_error = 0;   // mean over the annotated landmarks, per cent of the box
  double failure_rate = 0;  // exact, per cent
};

struct DegradationCurve {
  Degradation degradation;
  std::vector<DegradedScores> scores;  // [strengths]
};

struct DegradationScores {
  std::size_t faces = 0;
  DegradedScores clean;  // cut out the same way, not degraded
  std::vector<DegradationCurve> curves;
};

// Runs the model over every annotated face under every degradation. The box is the tight box of the (turned)
// landmarks; sources.detector is not used. Each picture is read once. `sources.on_progress` is told the
// number of faces located, of degraded_face_count(). Throws as predict_faces and evaluate.
DegradationScores score_degradations(const scheme::Database& database, const annotations::FaceList& truth,
                                     const std::vector<Degradation>& degradations,
                                     const PredictionSources& sources, const EvaluationOptions& options = {});

std::size_t degraded_face_count(const annotations::FaceList& truth,
                                const std::vector<Degradation>& degradations);

}  // namespace spiga::eval
