// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/canvas.h"

#include <algorithm>
#include <cmath>

#include "spiga/error.h"

namespace spiga::media {
namespace {

// Distance from p to the segment a-b.
float distance(float x, float y, const Point& a, const Point& b) {
  const float dx = b.x - a.x, dy = b.y - a.y;
  const float length2 = dx * dx + dy * dy;
  const float along =
      length2 > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length2, 0.0f, 1.0f) : 0.0f;
  return std::hypot(x - a.x - along * dx, y - a.y - along * dy);
}

// The share of a pixel that a shape of half-width `radius` covers when its middle passes at `away`. Lines
// thinner than a pixel fade instead of breaking up.
float coverage_at(float away, float radius) {
  const float thin = std::min(1.0f, 2 * radius);
  return thin * std::clamp(std::max(radius, 0.5f) + 0.5f - away, 0.0f, 1.0f);
}

Point mix(const Point& a, const Point& b, float t) { return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)}; }

bool is_drawable(std::span<const Point> points) {
  // Far coordinates would lose the precision that the geometry needs; nobody could see them anyway.
  constexpr float kFarthest = 1e7f;
  return !points.empty() && std::ranges::all_of(points, [](const Point& p) {
    return std::abs(p.x) < kFarthest && std::abs(p.y) < kFarthest;
  });
}

}  // namespace

Canvas::Canvas(Image& picture) : picture_(picture) {
  if (picture.format() != PixelFormat::bgr8)
    throw Error(ErrorCode::invalid_argument, "canvas: expected a picture in bgr8");
}

int Canvas::width() const { return picture_.width(); }
int Canvas::height() const { return picture_.height(); }

Canvas::Area Canvas::clip(float left, float top, float right, float bottom) const {
  const auto inside = [](float value, int end) {
    return static_cast<int>(std::clamp(value, 0.0f, static_cast<float>(end)));
  };
  return {inside(std::floor(left), width()), inside(std::floor(top), height()),
          inside(std::ceil(right) + 1, width()), inside(std::ceil(bottom) + 1, height())};
}

void Canvas::stroke(std::span<const Point> points, const Pen& pen) {
  if (!is_drawable(points)) return;
  const float radius = 0.5f * pen.width, reach = std::max(radius, 0.5f) + 0.5f;
  const auto [min_x, max_x] = std::ranges::minmax(points, {}, &Point::x);
  const auto [min_y, max_y] = std::ranges::minmax(points, {}, &Point::y);
  const Area area = clip(min_x.x - reach, min_y.y - reach, max_x.x + reach, max_y.y + reach);
  if (area.left >= area.right || area.top >= area.bottom) return;
  coverage_.assign(static_cast<std::size_t>(area.right - area.left) * (area.bottom - area.top), 0.0f);
  if (points.size() == 1) cover_segment(points[0], points[0], radius, area);
  for (std::size_t i = 1; i < points.size(); ++i) cover_segment(points[i - 1], points[i], radius, area);
  blend(area, pen.colour, pen.opacity);
}

void Canvas::disc(const Point& centre, float radius, const Colour& colour, float opacity) {
  stroke(std::span(&centre, 1), {colour, 2 * radius, opacity});
}

void Canvas::cover_segment(const Point& a, const Point& b, float radius, const Area& area) {
  const float reach = std::max(radius, 0.5f) + 0.5f;
  const Area part = clip(std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach, std::max(a.x, b.x) + reach,
                         std::max(a.y, b.y) + reach);
  const int stride = area.right - area.left;
  for (int y = std::max(part.top, area.top); y < std::min(part.bottom, area.bottom); ++y) {
    float* row = coverage_.data() + static_cast<std::size_t>(y - area.top) * stride;
    for (int x = std::max(part.left, area.left); x < std::min(part.right, area.right); ++x) {
      const float away = distance(static_cast<float>(x), static_cast<float>(y), a, b);
      float& covered = row[x - area.left];
      covered = std::max(covered, coverage_at(away, radius));
    }
  }
}

void Canvas::blend(const Area& area, const Colour& colour, float opacity) {
  const float paint[3] = {static_cast<float>(colour.blue), static_cast<float>(colour.green),
                          static_cast<float>(colour.red)};
  const float* covered = coverage_.data();
  for (int y = area.top; y < area.bottom; ++y) {
    std::uint8_t* pixel = picture_.data() + y * picture_.stride_bytes() + std::ptrdiff_t{3} * area.left;
    for (int x = area.left; x < area.right; ++x, ++covered, pixel += 3) {
      const float alpha = opacity * *covered;
      if (alpha <= 0) continue;
      for (int c = 0; c < 3; ++c) {
        const float old = pixel[c];
        pixel[c] = static_cast<std::uint8_t>(old + alpha * (paint[c] - old) + 0.5f);
      }
    }
  }
}

std::vector<Point> smooth_curve(std::span<const Point> points) {
  if (points.size() < 3) return {points.begin(), points.end()};
  constexpr int kPieces = 8;
  std::vector<Point> curve = {points[0]};
  curve.reserve(points.size() * kPieces);
  const auto knot = [](const Point& a, const Point& b) {
    return std::max(1e-3f, std::sqrt(std::hypot(b.x - a.x, b.y - a.y)));
  };
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Point &p1 = points[i], &p2 = points[i + 1];
    const Point p0 = i > 0 ? points[i - 1] : mix(p1, p2, -1);
    const Point p3 = i + 2 < points.size() ? points[i + 2] : mix(p1, p2, 2);
    const float t1 = knot(p0, p1), t2 = t1 + knot(p1, p2), t3 = t2 + knot(p2, p3);
    for (int piece = 1; piece <= kPieces; ++piece) {  // Barry and Goldman's pyramid
      const float t = t1 + (t2 - t1) * static_cast<float>(piece) / kPieces;
      const Point a1 = mix(p0, p1, t / t1), a2 = mix(p1, p2, (t - t1) / (t2 - t1)),
                  a3 = mix(p2, p3, (t - t2) / (t3 - t2));
      curve.push_back(mix(mix(a1, a2, t / t2), mix(a2, a3, (t - t1) / (t3 - t1)), (t - t1) / (t2 - t1)));
    }
  }
  return curve;
}

}  // namespace spiga::media
