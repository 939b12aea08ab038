// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <span>
#include <string>

#include "eval/comparison.h"
#include "scheme/scheme.h"

// The figures of the report, each one SVG drawing.
namespace spiga::eval {

// Bytes of a JPEG of side_px x side_px pixels that shows a square region of a picture (what lies beyond the
// picture's edge is of any one colour); empty where the picture cannot be had. The picture is named as the
// annotations name it.
using JpegOfRegion =
    std::function<std::string(const std::string& image, const annotations::Rect& region, int side_px)>;

// Cumulative error distributions of all methods up to the threshold.
std::string draw_error_distribution(std::span<const Method> methods);

// Mean error of each landmark, as colour and size of a dot on the mean face.
std::string draw_landmark_errors(const scheme::Database& database, const Evaluation& evaluation);

// Error of each face against its true yaw, with the median and the 90th percentile of equally filled bins.
std::string draw_error_by_yaw(const Evaluation& evaluation, const annotations::FaceList& truth);

// Mean error of the annotated landmarks in per cent of the box by absolute true yaw: mean, and from the 25th
// to the 75th percentile of each group. Empty where no group has a face.
std::string draw_point_error_by_yaw(const Evaluation& evaluation);

// Told against true yaw, one dot per face, with the medians of equally filled bins; empty without poses.
std::string draw_told_yaw(const Evaluation& evaluation, const annotations::FaceList& truth);

// Share of landmarks within 1 and 2 sigma by absolute true yaw, beside what is nominal.
std::string draw_coverage_by_yaw(const Evaluation& evaluation);

// Error of each face against the size of the face's box (square root of its area, pixels), on a logarithmic
// axis.
std::string draw_error_by_size(const Evaluation& evaluation, const annotations::FaceList& truth);

// Mean error of the annotated landmarks in per cent of the box against one degradation's strength, `clean` at
// the left; `top` is the axis' end.
std::string draw_degradation(const DegradationCurve& curve, const DegradedScores& clean, double top);

// Faces by annotated (row) and predicted (column) label of one angle: 0 yaw, 1 pitch, 2 roll.
std::string draw_pose_confusion(const HeadPoseScores& scores, std::size_t axis);

// True error of the landmarks in ten equally filled bins of predicted uncertainty: mean, and from the 25th to
// the 75th percentile.
std::string draw_uncertainty(const Evaluation& evaluation);

// One face with its true landmarks (blue) and the predicted ones (yellow).
std::string draw_face(const scheme::Database& database, const annotations::AnnotatedFace& truth,
                      const annotations::AnnotatedFace& prediction, const JpegOfRegion& jpeg_of_region);

// The faces with the largest errors, worst first, at most `count`.
std::vector<std::size_t> worst_faces(const Evaluation& evaluation, std::size_t count);

}  // namespace spiga::eval
