// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "geometry/boxes.h"
#include "geometry/head_pose.h"
#include "media/canvas.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

constexpr Colour kWhite = {255, 255, 255};
constexpr Colour kShade = {12, 16, 24};

struct PartColour {
  std::string_view part;  // found in the edge's name
  Colour colour;
};

constexpr std::array<PartColour, 6> kPalette = {{
    {"jaw", {120, 220, 232}},
    {"brow", {255, 190, 92}},
    {"nose", {168, 230, 120}},
    {"eye", {104, 176, 255}},
    {"outer_lip", {255, 110, 140}},
    {"inner_lip", {255, 158, 178}},
}};

Colour colour_of(std::string_view edge) {
  for (const PartColour& entry : kPalette) {
    if (edge.find(entry.part) != std::string_view::npos) return entry.colour;
  }
  return kWhite;
}

// Lines are drawn over a wider dark one, so that they show on any skin and any light.
void stroke_shaded(Canvas& canvas, std::span<const Point> points, const Pen& pen) {
  canvas.stroke(points, {kShade, pen.width + std::max(1.2f, pen.width), 0.32f * pen.opacity});
  canvas.stroke(points, pen);
}

// Corners a little outside the landmarks, whatever box the face was found in.
void draw_box(Canvas& canvas, const Box& tight, float width) {
  const float gap = 0.05f * std::max(tight.width, tight.height);
  const Box box = {tight.x - gap, tight.y - gap, tight.width + 2 * gap, tight.height + 2 * gap};
  const float arm = 0.16f * std::min(box.width, box.height);
  const float right = box.x + box.width, bottom = box.y + box.height;
  const Pen pen{kWhite, width, 0.75f};
  for (const auto& [x, y, dx, dy] :
       {std::array{box.x, box.y, arm, arm}, std::array{right, box.y, -arm, arm},
        std::array{box.x, bottom, arm, -arm}, std::array{right, bottom, -arm, -arm}}) {
    const std::array<Point, 3> corner = {{{x + dx, y}, {x, y}, {x, y + dy}}};
    stroke_shaded(canvas, corner, pen);
  }
}

void draw_edges(Canvas& canvas, const Face& face, const scheme::Database& database, float width) {
  std::vector<Point> along;
  for (const scheme::Edge& edge : database.edges) {
    along.clear();
    for (const int landmark : edge.landmarks) along.push_back(face.landmarks[landmark]);
    stroke_shaded(canvas, smooth_curve(along), {colour_of(edge.name), width, 0.9f});
  }
}

// 1 where the landmark is certain, down to 0.5 where its expected error is a tenth of the face.
float certainty(const Face& face, std::size_t landmark, float side) {
  if (landmark >= face.uncertainty.size()) return 1;
  return std::clamp(1 - 5 * face.uncertainty[landmark] / side, 0.5f, 1.0f);
}

void draw_points(Canvas& canvas, const Face& face, float radius, float side) {
  for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
    const float opacity = certainty(face, i, side);
    canvas.disc(face.landmarks[i], radius + std::max(0.7f, 0.35f * radius), kShade, 0.5f * opacity);
    canvas.disc(face.landmarks[i], radius, kWhite, opacity);
  }
}

struct Axis {
  geometry::Vector3
      world;  // in the frame of geometry::RigidPose: x out of the face, y to the picture's left, z down
  Colour colour;
};

// The head's frame, seen from afar (without perspective), from the middle of the face; what points away from
// us is drawn first.
void draw_axes(Canvas& canvas, const Face& face, const Box& tight, float width) {
  const geometry::Matrix3 rotation = geometry::rigid_from_head_pose(face.headpose).rotation;
  const Axis right = {{0, -1, 0}, {255, 84, 84}}, up = {{0, 0, -1}, {96, 220, 110}},
             out = {{1, 0, 0}, {84, 150, 255}};
  const auto seen = [&rotation](const Axis& axis, int row) {
    return static_cast<float>(rotation[row][0] * axis.world[0] + rotation[row][1] * axis.world[1] +
                              rotation[row][2] * axis.world[2]);
  };
  std::array<Axis, 3> axes = {right, up, out};
  std::ranges::sort(axes, std::greater<>(), [&](const Axis& axis) { return seen(axis, 2); });
  const float side = std::max(tight.width, tight.height);
  const float above = 0.64f * side, length = 0.3f * side;
  const Point origin = {tight.x + 0.5f * tight.width + above * seen(up, 0),
                        tight.y + 0.5f * tight.height + above * seen(up, 1)};
  for (const Axis& axis : axes) {
    const Point tip = {origin.x + length * seen(axis, 0), origin.y + length * seen(axis, 1)};
    stroke_shaded(canvas, std::array{origin, tip}, {axis.colour, width, 0.95f});
    canvas.disc(tip, 1.0f * width, axis.colour, 0.95f);
  }
}

}  // namespace

void draw_faces(Image& picture, std::span<const Face> faces, const scheme::Database& database,
                const OverlayStyle& style) {
  Canvas canvas(picture);
  for (const Face& face : faces) {
    if (face.landmarks.size() != static_cast<std::size_t>(database.landmarks))
      throw Error(ErrorCode::invalid_argument,
                  "overlay: " + database.name + " has " + std::to_string(database.landmarks) +
                      " landmarks, found a face with " + std::to_string(face.landmarks.size()));
    const Box tight = geometry::tight_box(face.landmarks);
    const float side = std::max(tight.width, tight.height);
    const float width = style.line_scale * std::max(0.9f, side / 150);
    if (style.box) draw_box(canvas, tight, width);
    if (style.edges) draw_edges(canvas, face, database, width);
    if (style.points) draw_points(canvas, face, style.line_scale * std::max(0.9f, side / 140), side);
    if (style.axes) draw_axes(canvas, face, tight, 1.6f * width);
  }
}

}  // namespace spiga::media
