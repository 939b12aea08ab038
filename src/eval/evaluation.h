// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "eval/breakdown.h"
#include "eval/cumulative.h"
#include "eval/head_pose_scores.h"
#include "scheme/scheme.h"

namespace spiga::eval {

struct EvaluationOptions {
  std::string norm = {};  // one of kNormNames; empty: the database's first
  std::optional<double> threshold =
      {};  // NME in per cent over which a face has failed; none: the published one
};

inline constexpr std::array<const char*, 6> kNormNames = {"corners", "pupils", "lnd_bbox",
                                                          "bbox",    "height", "diagonal"};

// Error of one annotated face. All errors are per cent of the face's normalising distance.
struct FaceResult {
  std::size_t prediction = 0;  // index in the predictions
  bool missed = false;         // the prediction has no landmarks: the detector did not find the face
  double norm_px = 0;          // the normalising distance
  double nme = 0;              // NaN where missed
  double size_px = 0;          // sqrt(w h) of the tight box of the annotated landmarks
  // Mean error of the annotated landmarks in per cent of size_px, whatever the norm; NaN where missed.
  double point_error = 0;
  std::vector<double> landmark_errors;  // [annotated landmarks]; empty where missed
  std::vector<double>
      uncertainties;           // [annotated landmarks] predicted uncertainty; empty where there is none
  std::optional<Angles> pose;  // annotated, or POSIT's of the annotated landmarks
  std::optional<Angles> predicted_pose;
};

// Mean and tail of errors.
struct ErrorSummary {
  double mean = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
};

// Scores of the whole set or of a subset. A missed face has no error: it is left out of `nme`, and counts as
// a failure in the four figures of the curve.
struct SetScores {
  std::string name;
  std::vector<std::size_t> members;  // annotated faces
  std::size_t missed = 0;
  ErrorSummary nme;
  double point_error = 0;  // mean over the faces that were not missed
  CurveFigures published;  // AUC and FR as the published evaluator computes them
  CurveFigures exact;      // AUC and FR without bins
};

struct LandmarkScores {
  int id = 0;
  std::size_t faces = 0;  // that have this landmark annotated and were not missed
  ErrorSummary nme;       // NaN where no face has it
};

// How well the predictions' uncertainty ranks their true errors (Spearman); both in units of the face's
// normalising distance, so that large faces do not make the correlation.
struct UncertaintyScores {
  std::size_t landmarks = 0;
  double landmark_rank_correlation = 0;
  double face_rank_correlation = 0;  // of mean uncertainty and mean error
  double mean_uncertainty =
      0;  // equal to mean_error where uncertainty is what it should be, the expected error
  double mean_error = 0;
  Coverage coverage;
};

struct Evaluation {
  std::string database;
  std::string norm;
  double threshold = 0;
  std::vector<FaceResult> faces;  // [annotated faces]
  SetScores whole;                // named "full"
  std::vector<SetScores> subsets;
  std::vector<LandmarkScores> landmarks;         // [L] in the database's order
  std::optional<HeadPoseScores> head_pose;       // where predictions carry a pose
  std::size_t derived_poses = 0;                 // true poses that were not annotated but come from POSIT
  std::optional<UncertaintyScores> uncertainty;  // where predictions carry uncertainties
  std::vector<Breakdown> breakdowns;             // by yaw, roll and size
  std::vector<std::string> notes;                // what a reader of the figures should know
};

// Evaluates predictions against annotations of a database. Throws Error: invalid_argument for a norm or
// threshold that makes no sense; bad_data naming file and picture where a face cannot be scored (not
// annotated, a landmark not predicted, a normalising distance of zero): nothing is left out silently.
Evaluation evaluate(const scheme::Database& database, const annotations::FaceList& truth,
                    const annotations::FaceList& predictions, const EvaluationOptions& options = {});

// The normalising distance in pixels. Throws Error(bad_data), naming `where`, if it cannot be computed or is
// zero.
double norm_distance(const scheme::Database& database, const std::string& norm,
                     const annotations::AnnotatedFace& face, const std::string& where);

}  // namespace spiga::eval
