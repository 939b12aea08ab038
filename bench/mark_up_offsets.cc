// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// Prints src/face3d/mark_up_offsets.inc: by how much the 300-W mark-up's landmarks lie beside the head's
// vertices, on average over people whose faces are at rest. Faces are what the program says of pictures of
// them, one a picture, seen from the front:
//
//   spiga analyze FOLDER --fov 30 -o faces.jsonl && build/release/bin/mark_up_offsets faces.jsonl
//
// Pose and identity (its prior four times as narrow as usual) are fitted without any expression; what is left
// over, made the same on both sides, becomes the offsets, three times over; the head's own ones are taken out
// first.
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "face3d/fitted.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "spiga/face3d.h"

namespace {

using namespace spiga;
using Offsets = Eigen::Matrix<double, 2, face3d::kLandmarks>;

constexpr float kNoExpression = 1e5f, kIdentityPrecision = 4;
constexpr int kRounds = 3, kSteps = 4;

constexpr float kOffsets_mm[][2] = {
#include "face3d/mark_up_offsets.inc"
};

std::vector<face3d::Observation> read_faces(const std::string& path) {
  std::ifstream file(path);
  std::vector<face3d::Observation> faces;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json picture = nlohmann::json::parse(line);
    if (picture.at("faces").size() != 1) continue;
    std::vector<Point> landmarks;
    for (const auto& p : picture["faces"][0].at("landmarks"))
      landmarks.push_back({p.at(0).get<float>(), p.at(1).get<float>()});
    const auto& c = picture.at("camera");
    const Camera camera = {.fx = c.at("fx"), .fy = c.at("fy"), .cx = c.at("cx"), .cy = c.at("cy")};
    faces.push_back(face3d::observe(landmarks, {}, camera));
  }
  if (faces.empty()) throw Error(ErrorCode::bad_data, path + ": no picture with one face");
  return faces;
}

// Where the landmarks lie beside the points of the fitted heads, in the heads' frame: mean, mm.
Offsets mean_rest(const FaceModel::Data& head, const std::vector<face3d::Observation>& faces) {
  face3d::Solver solver(head);
  face3d::Prior prior = face3d::stranger(head);
  prior.expression_precision.setConstant(kNoExpression);
  prior.identity_precision *= kIdentityPrecision;
  Offsets sum = Offsets::Zero();
  double count = 0;
  for (const face3d::Observation& seen : faces) {
    std::optional<face3d::State> state = solver.start(seen);
    if (!state) continue;
    for (int k = 0; k < kSteps; ++k) solver.round(seen, prior, *state, true, false);
    const auto& points = solver.place_points(*state);
    for (int i = face3d::kContour; i < face3d::kLandmarks; ++i) {
      const Eigen::Vector3f fitted = state->rotation * points.col(i) + state->translation;
      const Eigen::Vector3f found(seen.place(0, i) * fitted.z(), seen.place(1, i) * fitted.z(), fitted.z());
      sum.col(i) += (state->rotation.transpose() * (found - fitted)).head<2>().cast<double>();
    }
    ++count;
  }
  return sum / count;
}

Offsets symmetric(const Offsets& offsets) {
  const std::vector<int>& flip = scheme::find_database("300wpublic").flip_order;
  Offsets result = Offsets::Zero();
  for (int i = face3d::kContour; i < face3d::kLandmarks; ++i) {
    const int other = flip[static_cast<std::size_t>(i)];
    result(0, i) = 0.5 * (offsets(0, i) - offsets(0, other));
    result(1, i) = 0.5 * (offsets(1, i) + offsets(1, other));
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw Error(ErrorCode::invalid_argument, "usage: mark_up_offsets FACES.jsonl");
  FaceModel::Data head = FaceModel::load().data();
  const std::vector<face3d::Observation> faces = read_faces(argv[1]);
  Offsets total = Offsets::Zero();
  for (int i = face3d::kContour; i < face3d::kLandmarks; ++i)
    for (int axis = 0; axis < 2; ++axis)
      head.base[3 * head.candidate_of(i) + axis] -= kOffsets_mm[i - face3d::kContour][axis];
  for (int round = 0; round < kRounds; ++round) {
    const Offsets more = symmetric(mean_rest(head, faces));
    total += more;
    for (int i = face3d::kContour; i < face3d::kLandmarks; ++i)
      for (int axis = 0; axis < 2; ++axis)
        head.base[3 * head.candidate_of(i) + axis] += static_cast<float>(more(axis, i));
  }
  for (int i = face3d::kContour; i < face3d::kLandmarks; ++i)
    std::printf("    {%.1ff, %.1ff},  // %d\n", total(0, i), total(1, i), i);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "mark_up_offsets: %s\n", error.what());
  return 1;
}
