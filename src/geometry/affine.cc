// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "geometry/affine.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "spiga/error.h"

namespace spiga::geometry {

double Affine::scale() const { return std::sqrt(std::abs(xx * yy - xy * yx)); }

Affine compose(const Affine& outer, const Affine& inner) {
  return {outer.xx * inner.xx + outer.xy * inner.yx,
          outer.xx * inner.xy + outer.xy * inner.yy,
          outer.xx * inner.tx + outer.xy * inner.ty + outer.tx,
          outer.yx * inner.xx + outer.yy * inner.yx,
          outer.yx * inner.xy + outer.yy * inner.yy,
          outer.yx * inner.tx + outer.yy * inner.ty + outer.ty};
}

Affine inverse(const Affine& map) {
  const double determinant = map.xx * map.yy - map.xy * map.yx;
  if (!std::isnormal(determinant))
    throw Error(
        ErrorCode::invalid_argument,
        "affine map: determinant: expected one that can be inverted, found " + std::to_string(determinant));
  Affine back{map.yy / determinant, -map.xy / determinant, 0, -map.yx / determinant, map.xx / determinant, 0};
  back.tx = -(back.xx * map.tx + back.xy * map.ty);
  back.ty = -(back.yx * map.tx + back.yy * map.ty);
  return back;
}

Affine rotation_about(const Point& centre, double angle_deg, double factor) {
  const double angle = angle_deg * std::numbers::pi / 180;
  const double c = factor * std::cos(angle), s = factor * std::sin(angle);
  return {c, -s, centre.x - c * centre.x + s * centre.y, s, c, centre.y - s * centre.x - c * centre.y};
}

Affine crop_from_image(const Box& box, int size, double margin) {
  const double side = margin * std::max(box.width, box.height);
  const double centre_x = box.x + 0.5 * box.width, centre_y = box.y + 0.5 * box.height;
  if (!(side > 0) || !std::isfinite(side) || !std::isfinite(centre_x) || !std::isfinite(centre_y))
    throw Error(ErrorCode::invalid_argument, "box: expected a finite box with an area, found " +
                                                 std::to_string(box.width) + " x " +
                                                 std::to_string(box.height) + " at " + std::to_string(box.x) +
                                                 ", " + std::to_string(box.y));
  const double mu = size / side;
  return {mu, 0, 0.5 * size - mu * centre_x, 0, mu, 0.5 * size - mu * centre_y};
}

}  // namespace spiga::geometry
