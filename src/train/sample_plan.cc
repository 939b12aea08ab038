// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/sample_plan.h"

#include <algorithm>
#include <cmath>

#include "geometry/boxes.h"

namespace spiga::train {
namespace {

using geometry::Affine;
using geometry::compose;

// How the crop's square lies on the box, in units of the box's larger side.
struct Placement {
  bool mirrored = false;
  double angle_deg = 0;
  double size = 1;
  double shift_x = 0, shift_y = 0;
};

// 1 + U(-spread, spread)
double factor(double spread, Random& random) { return 1 + random.uniform(-spread, spread); }

Placement draw_placement(const AugmentOptions& o, Random& random) {
  Placement p;
  p.mirrored = random.chance(o.mirror);
  // What is off draws no number, so that seeds give what they gave before it was there.
  const double most = o.any_rotation > 0 && random.chance(o.any_rotation) ? 180 : o.rotation_deg;
  p.angle_deg = random.uniform(-most, most);
  if (random.chance(o.detector)) {
    p.size = o.detector_size * std::exp(o.detector_size_noise * random.normal());
    p.shift_x = o.detector_shift_x + o.detector_shift_noise * random.normal();
    p.shift_y = o.detector_shift_y + o.detector_shift_noise * random.normal();
  } else {
    p.size = factor(o.scale, random);
    p.shift_x = random.uniform(-o.translation, o.translation);
    p.shift_y = random.uniform(-o.translation, o.translation);
  }
  return p;
}

// Mirrors and turns about the box's centre; then the crop is cut as for a box that is moved and resized.
Affine crop_from_face_of(const FaceRecord& face, int crop_size, const Placement& p) {
  const Affine& stored = face.crop_from_image;
  const Point centre = stored({face.box.x + face.box.width / 2, face.box.y + face.box.height / 2});
  const double side = std::max(face.box.width, face.box.height) * stored.scale();
  const double mu = crop_size / (geometry::kCropMargin * p.size * side);
  const Affine mirror{p.mirrored ? -1.0 : 1.0, 0, p.mirrored ? 2.0 * centre.x : 0.0, 0, 1, 0};
  const Affine turned = compose(geometry::rotation_about(centre, p.angle_deg, mu), mirror);
  Affine placed = turned;
  placed.tx += 0.5 * crop_size - centre.x - mu * side * p.shift_x;
  placed.ty += 0.5 * crop_size - centre.y - mu * side * p.shift_y;
  return placed;
}

// The canvas that `share` of the crop's side makes, in whole 8 x 8 blocks where the crop is.
int canvas_side(int crop_size, double share) {
  return std::max(8, static_cast<int>(crop_size * share) / 8 * 8);
}

void place_on_canvas(SamplePlan& plan, int crop_size, int side) {
  const double enlarge = static_cast<double>(crop_size) / side;
  plan.side = side;
  plan.face_from_canvas =
      compose(geometry::inverse(plan.crop_from_face), Affine{enlarge, 0, 0, 0, enlarge, 0});
  // Bilinear sampling sees 2 pixels; beyond that shrinking averages several samples.
  const double shrink = plan.face_from_canvas.scale();
  plan.supersample = shrink > 2 ? static_cast<int>(std::ceil(shrink / 2)) : 1;
}

int draw_side(const AugmentOptions& o, int crop_size, Random& random) {
  constexpr std::array<double, 4> kShares = {0.75, 0.5, 0.375, 0.25};
  const auto allowed =
      std::ranges::count_if(kShares, [&](double share) { return share >= o.low_resolution_side; });
  const bool low = random.chance(o.low_resolution) && allowed > 0;
  const std::size_t choice = random.below(static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(allowed, 1)));
  return low ? canvas_side(crop_size, kShares[choice]) : crop_size;
}

SamplePlan::Rectangle draw_rectangle(const AugmentOptions& o, const Box& box, int side,
                                     const ImageView& occluder, Random& random) {
  SamplePlan::Rectangle r;
  if (!random.chance(o.occlusion)) return r;
  const double width = box.width * random.uniform(o.occlusion_min, o.occlusion_max);
  const double height = box.height * random.uniform(o.occlusion_min, o.occlusion_max);
  const double x = box.x + random.uniform(0, box.width - width);
  const double y = box.y + random.uniform(0, box.height - height);
  const auto pixel = [side](double v) {
    return static_cast<int>(std::clamp<double>(std::round(v), 0, side));
  };
  r.x = pixel(x);
  r.y = pixel(y);
  r.width = pixel(x + width) - r.x;
  r.height = pixel(y + height) - r.y;
  for (float& value : r.bgr) value = static_cast<float>(random.uniform());
  r.picture = random.chance(o.occlusion_picture);
  const auto offset = [&](int length, int needed) {
    return static_cast<int>(random.below(static_cast<std::uint64_t>(std::max(1, length - needed))));
  };
  r.picture_x = offset(occluder.width, r.width);
  r.picture_y = offset(occluder.height, r.height);
  return r;
}

void draw_colours(SamplePlan& plan, const AugmentOptions& o, Random& random) {
  if (random.chance(o.hsv))
    plan.hsv = {static_cast<float>(factor(o.hue, random)), static_cast<float>(factor(o.saturation, random)),
                static_cast<float>(factor(o.value, random))};
  if (o.dark > 0 && random.chance(o.dark))
    plan.hsv[2] *= static_cast<float>(random.uniform(o.dark_value, 0.6));
  if (random.chance(o.cast))
    for (float& value : plan.cast) value = static_cast<float>(factor(o.cast_strength, random));
  plan.grey = random.chance(o.grey);
}

void draw_camera(SamplePlan& plan, const AugmentOptions& o, Random& random) {
  if (random.chance(o.blur)) plan.blur = 1 + 2 * static_cast<int>(random.below(3));
  if (random.chance(o.noise)) plan.noise = static_cast<float>(random.uniform(0, o.noise_strength));
  plan.noise_offset = static_cast<std::uint32_t>(random.next());
  if (random.chance(o.jpeg))
    plan.jpeg_quality = static_cast<int>(std::lround(random.uniform(o.jpeg_quality, 90)));
}

}  // namespace

SamplePlan plain_plan(const FaceRecord& face, int crop_size, const Box& box) {
  SamplePlan plan;
  plan.crop_from_face =
      compose(geometry::crop_from_image(box, crop_size), geometry::inverse(face.crop_from_image));
  place_on_canvas(plan, crop_size, crop_size);
  return plan;
}

SamplePlan vary(const FaceRecord& face, const ImageView& occluder, const AugmentOptions& options,
                int crop_size, Random& random) {
  SamplePlan plan;
  plan.crop_from_face = crop_from_face_of(face, crop_size, draw_placement(options, random));
  place_on_canvas(plan, crop_size, draw_side(options, crop_size, random));
  const Box box = geometry::tight_box(landmarks_on_crop(face, plan.crop_from_face));
  const auto to_canvas = [&](float length) {
    return length * static_cast<float>(plan.side) / static_cast<float>(crop_size);
  };
  const Box on_canvas{to_canvas(box.x), to_canvas(box.y), to_canvas(box.width), to_canvas(box.height)};
  plan.rectangle = draw_rectangle(options, on_canvas, plan.side, occluder, random);
  draw_colours(plan, options, random);
  draw_camera(plan, options, random);
  return plan;
}

std::vector<Point> landmarks_on_crop(const FaceRecord& face, const Affine& crop_from_face) {
  const double before = 0.5 * face.crop_from_image.scale();
  const double after = before * crop_from_face.scale();
  const Affine map =
      compose({1, 0, -after, 0, 1, -after}, compose(crop_from_face, {1, 0, before, 0, 1, before}));
  std::vector<Point> landmarks;
  landmarks.reserve(face.landmarks.size());
  for (const Point& p : face.landmarks) landmarks.push_back(map(p));
  return landmarks;
}

bool is_mirrored(const Affine& crop_from_face) {
  return crop_from_face.xx * crop_from_face.yy < crop_from_face.xy * crop_from_face.yx;
}

}  // namespace spiga::train
