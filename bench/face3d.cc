// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// What spiga::FaceModel recovers of faces that were made with it, and how long it takes (docs/face3d.md):
//
//   build/release/bin/face3d [--faces N] [--tracks N] [--noise PIXELS] [--slide PIXELS] [--offsets MM]
//   [--seed N] build/release/bin/face3d --list LIST.json     its angles beside POSIT's, on annotated faces
//
// Made-up faces: identity standard normal in all modes, about a third of the expressions active and left and
// right mostly alike, yaw, pitch and roll uniform within 40, 20 and 20 degrees, a 1280 x 720 camera of focal
// length 1000 that sees a face 150 pixels wide. Landmarks get normal noise of 1.2 pixels in each direction,
// those of the contour slide along it by 2.5 more, and each person has lasting offsets of 0.55 mm, which
// stand for identity that the head's modes leave out.
#include "spiga/face3d.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "geometry/head_pose.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace {

using namespace spiga;

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kRate = 25;
constexpr int kTrackFrames = 60;

struct Options {
  int faces = 1000, tracks = 200;
  double noise_px = 1.2;
  double slide_px = 2.5;     // of contour landmarks along the outline
  double offsets_mm = 0.55;  // lasting, of each person's landmarks
  unsigned seed = 1;
  std::string list;
};

std::array<std::array<double, 3>, 3> rotation(double yaw_deg, double pitch_deg, double roll_deg) {
  // The documented angles, with the head's axes of spiga/face3d.h.
  const geometry::Matrix3 r = geometry::rotation_from_angles(yaw_deg, pitch_deg, roll_deg);
  std::array<std::array<double, 3>, 3> result{};
  for (std::size_t i = 0; i < 3; ++i) result[i] = {-r[i][1], r[i][2], -r[i][0]};
  return result;
}

double angle_between_deg(const CameraPose& a, const CameraPose& b) {
  double trace = 0;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) trace += a.rotation[i][j] * b.rotation[i][j];
  return std::acos(std::clamp(0.5 * (trace - 1), -1.0, 1.0)) / kDegree;
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

struct Correlation {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  void add(double a, double b) { n += 1, x += a, y += b, xx += a * a, yy += b * b, xy += a * b; }
  double value() const {
    const double vx = xx - x * x / n, vy = yy - y * y / n;
    return vx > 1e-12 && vy > 1e-12 ? (xy - x * y / n) / std::sqrt(vx * vy) : 0;
  }
};

// Makes faces and their landmarks.
class Maker {
 public:
  Maker(const FaceModel& model, const Options& options, unsigned seed, double noise_px)
      : model_(model),
        noise_px_(noise_px),
        slide_px_(options.slide_px * noise_px / 1.2),
        offsets_mm_(options.offsets_mm),
        rng_(options.seed + seed) {
    camera_.fx = camera_.fy = 1000;
    camera_.cx = 640;
    camera_.cy = 360;
  }

  const Camera& camera() const { return camera_; }
  double uniform(double from, double to) { return std::uniform_real_distribution<double>(from, to)(rng_); }
  double normal() { return std::normal_distribution<double>()(rng_); }
  bool chance(double share) { return uniform(0, 1) < share; }

  void new_person() {
    identity_.assign(32, 0);
    for (float& c : identity_) c = static_cast<float>(normal());
    for (auto& offset : offsets_) offset = {offsets_mm_ * normal(), offsets_mm_ * normal()};
  }

  // Amounts of all expressions: what is active, and how strongly.
  std::vector<float> expression(double active) {
    const auto& names = model_.expression_names();
    std::vector<float> amounts(names.size(), 0);
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (names[k].ends_with("_R")) continue;
      if (!chance(active)) continue;
      const double amount = uniform(0, 1);
      if (!names[k].ends_with("_L")) {
        amounts[k] = static_cast<float>(amount);
        continue;
      }
      const std::size_t other = index(names[k].substr(0, names[k].size() - 1) + "R");
      const int sides = chance(0.2) ? (chance(0.5) ? 1 : 2) : 3;
      if (sides & 1) amounts[k] = static_cast<float>(std::clamp(amount + 0.1 * normal(), 0.0, 1.0));
      if (sides & 2) amounts[other] = static_cast<float>(std::clamp(amount + 0.1 * normal(), 0.0, 1.0));
    }
    exclude(amounts, "jawLeft", "jawRight");
    exclude(amounts, "mouthLeft", "mouthRight");
    exclude(amounts, "eyeWide_L", "eyeBlink_L");
    exclude(amounts, "eyeWide_R", "eyeBlink_R");
    // ARKit's mouthClose closes the lips over an open jaw.
    float& close = amounts[index("mouthClose")];
    close = std::min(close, amounts[index("jawOpen")]);
    return amounts;
  }

  CameraPose pose(double yaw, double pitch, double roll) {
    CameraPose pose;
    pose.rotation = rotation(yaw, pitch, roll);
    pose.translation_mm = {uniform(-200, 200), uniform(-100, 100), 1000};
    return pose;
  }
  CameraPose any_pose() { return pose(uniform(-40, 40), uniform(-20, 20), uniform(-20, 20)); }

  Face3d face(const std::vector<float>& expression, const CameraPose& pose) const {
    return model_.make(identity_, expression, pose);
  }

  std::vector<Point> landmarks(const Face3d& face) {
    const std::vector<Point> exact = model_.landmarks(face, camera_);
    std::vector<Point> noisy = exact;
    for (std::size_t i = 0; i < noisy.size(); ++i) {
      double dx = noise_px_ * normal() + offsets_[i][0], dy = noise_px_ * normal() + offsets_[i][1];
      if (i < 17) {
        const Point &a = exact[i ? i - 1 : 0], &b = exact[std::min<std::size_t>(i + 1, 16)];
        const double length = std::hypot(b.x - a.x, b.y - a.y) + 1e-9, slide = slide_px_ * normal();
        dx += slide * (b.x - a.x) / length;
        dy += slide * (b.y - a.y) / length;
      }
      noisy[i].x += static_cast<float>(dx);
      noisy[i].y += static_cast<float>(dy);
    }
    return noisy;
  }

  std::vector<float> uncertainty() const {
    return std::vector<float>(68, static_cast<float>(1.2533 * noise_px_));
  }

  std::size_t index(const std::string& name) const {
    const auto& names = model_.expression_names();
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }

 private:
  void exclude(std::vector<float>& amounts, const char* a, const char* b) {
    float &x = amounts[index(a)], &y = amounts[index(b)];
    (x > y ? y : x) = 0;
  }

  const FaceModel& model_;
  Camera camera_;
  double noise_px_, slide_px_, offsets_mm_;
  std::mt19937 rng_;
  std::vector<float> identity_;
  std::array<std::array<double, 2>, 68> offsets_ = {};
};

struct Recovery {
  std::vector<double> rotation_deg, translation_mm, depth_mm, reprojection_px, points_mm;
  std::vector<Correlation> shapes = std::vector<Correlation>(blendshapes().size());
  std::vector<Correlation> coefficients;  // of the head's own expressions

  void add(const Face3d& truth, const Face3d& found) {
    rotation_deg.push_back(angle_between_deg(truth.pose, found.pose));
    const auto &a = truth.pose.translation_mm, &b = found.pose.translation_mm;
    translation_mm.push_back(std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
    depth_mm.push_back(std::abs(a[2] - b[2]));
    reprojection_px.push_back(found.reprojection_px);
    for (std::size_t k = 0; k < shapes.size(); ++k) shapes[k].add(truth.blendshapes[k], found.blendshapes[k]);
    coefficients.resize(truth.expression.size());
    for (std::size_t k = 0; k < coefficients.size(); ++k)
      coefficients[k].add(truth.expression[k], found.expression[k]);
  }
  void print(const char* what) const {
    std::printf(
        "%-22s rotation %.2f / %.2f deg, translation %.1f / %.1f mm, reprojection %.2f / %.2f px (median / "
        "95 %%)\n",
        what, quantile(rotation_deg, .5), quantile(rotation_deg, .95), quantile(translation_mm, .5),
        quantile(translation_mm, .95), quantile(reprojection_px, .5), quantile(reprojection_px, .95));
  }
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Recovery single_frames(const FaceModel& model, const Options& options) {
  Maker maker(model, options, 0, options.noise_px);
  Recovery recovery;
  std::vector<double> took;
  for (int i = 0; i < options.faces; ++i) {
    maker.new_person();
    const Face3d truth = maker.face(maker.expression(0.33), maker.any_pose());
    const std::vector<Point> landmarks = maker.landmarks(truth);
    const double begin = seconds();
    const Face3d found = model.fit(landmarks, maker.uncertainty(), maker.camera());
    took.push_back(seconds() - begin);
    recovery.add(truth, found);
  }
  recovery.print("single frames:");
  std::printf("  time of a face: %.3f ms (median)\n", 1e3 * quantile(took, .5));
  return recovery;
}

// Expressions that come and go: raised cosines of 0.4 to 1.4 s; lids also blink for three frames.
std::vector<std::vector<float>> moving_expressions(Maker& maker, const FaceModel& model) {
  std::vector<std::vector<float>> frames(kTrackFrames,
                                         std::vector<float>(model.expression_names().size(), 0));
  for (int event = 0; event < 6; ++event) {
    const std::vector<float> amounts = maker.expression(0.15);
    const double length = kRate * maker.uniform(0.4, 1.4), middle = maker.uniform(0, kTrackFrames);
    for (int f = 0; f < kTrackFrames; ++f) {
      const double x = (f - middle) / length;
      if (std::abs(x) >= 0.5) continue;
      const double share = 0.5 + 0.5 * std::cos(2 * std::numbers::pi * x);
      for (std::size_t k = 0; k < amounts.size(); ++k) {
        float& value = frames[static_cast<std::size_t>(f)][k];
        value = std::max(value, static_cast<float>(share * amounts[k]));
      }
    }
  }
  const int blink = static_cast<int>(maker.uniform(5, kTrackFrames - 5));
  constexpr float kBlink[] = {0.6f, 1.0f, 0.6f};
  for (int f = 0; f < 3; ++f)
    for (const char* lid : {"eyeBlink_L", "eyeBlink_R"})
      frames[static_cast<std::size_t>(blink + f)][maker.index(lid)] = kBlink[f];
  return frames;
}

Recovery tracks(const FaceModel& model, const Options& options) {
  Maker maker(model, options, 1, options.noise_px);
  Recovery recovery;
  std::vector<double> took;
  for (int t = 0; t < options.tracks; ++t) {
    maker.new_person();
    FaceModelTrack track(model);
    const CameraPose begin = maker.any_pose(), end = maker.any_pose();
    const auto expressions = moving_expressions(maker, model);
    for (int f = 0; f < kTrackFrames; ++f) {
      const double share = 0.5 - 0.5 * std::cos(std::numbers::pi * f / (kTrackFrames - 1));
      const auto mix = [&](double a, double b) { return a + share * (b - a); };
      const CameraPose from = make_camera_pose(begin.rotation, begin.translation_mm);
      const CameraPose to = make_camera_pose(end.rotation, end.translation_mm);
      CameraPose pose;
      pose.rotation = rotation(mix(from.yaw_deg, to.yaw_deg), mix(from.pitch_deg, to.pitch_deg),
                               mix(from.roll_deg, to.roll_deg));
      for (std::size_t i = 0; i < 3; ++i)
        pose.translation_mm[i] = mix(begin.translation_mm[i], end.translation_mm[i]);
      const Face3d truth = maker.face(expressions[static_cast<std::size_t>(f)], pose);
      const std::vector<Point> landmarks = maker.landmarks(truth);
      const double start = seconds();
      const Face3d found = track.next(landmarks, maker.uncertainty(), maker.camera(), f / kRate);
      took.push_back(seconds() - start);
      recovery.add(truth, found);
    }
  }
  recovery.print("tracks of 60 frames:");
  std::printf("  time of a face: %.3f ms (median)\n", 1e3 * quantile(took, .5));
  return recovery;
}

// Whether a blendshape is made of that expression of the head ("browDown_L": browDownLeft).
bool is_told(std::string_view expression) {
  const std::string_view stem = expression.substr(0, expression.find('_'));
  return std::any_of(blendshapes().begin(), blendshapes().end(), [&](const BlendshapeInfo& told) {
    return std::string_view(told.name).starts_with(stem);
  });
}

void print_correlations(const FaceModel& model, const Recovery& single, const Recovery& track) {
  int over = 0;
  std::printf("correlation with the truth: single frames, tracks\n");
  for (std::size_t k = 0; k < blendshapes().size(); ++k) {
    const double value = track.shapes[k].value();
    over += value > 0.8;
    std::printf("  %-20s %5.2f %5.2f\n", blendshapes()[k].name, single.shapes[k].value(), value);
  }
  std::printf("tracks: %d over 0.80\nnot told:\n", over);
  for (std::size_t k = 0; k < model.expression_names().size(); ++k)
    if (const std::string& name = model.expression_names()[k]; !is_told(name))
      std::printf("  %-20s %5.2f %5.2f\n", name.c_str(), single.coefficients[k].value(),
                  track.coefficients[k].value());
}

// Three minutes of one face after another: blinks of three frames about every 3 s, slow turns, some talk.
void blinks(const FaceModel& model, const Options& options, double noise_px) {
  Maker maker(model, options, 2, noise_px);
  int shown = 0, found = 0, wrong = 0;
  std::vector<double> late;
  for (int person = 0; person < 6; ++person) {
    maker.new_person();
    FaceModelTrack track(model);
    std::vector<double> truth;
    std::vector<FaceEvent> told;
    const CameraPose base = maker.any_pose();
    double next = 1.52;
    for (int f = 0; f < 30 * kRate; ++f) {
      const double time = f / kRate;
      std::vector<float> e(model.expression_names().size(), 0);
      e[maker.index("jawOpen")] = static_cast<float>(0.15 + 0.15 * std::sin(9 * time));
      if (time >= next + 3 / kRate) next = time + maker.uniform(1.5, 4.5);
      const int k = static_cast<int>(std::lround((time - next) * kRate));
      if (k >= 0 && k < 3) {
        if (k == 0) truth.push_back(time);
        for (const char* lid : {"eyeBlink_L", "eyeBlink_R"}) e[maker.index(lid)] = k == 1 ? 1.0f : 0.6f;
      }
      const CameraPose from = make_camera_pose(base.rotation, base.translation_mm);
      CameraPose pose = base;
      pose.rotation = rotation(from.yaw_deg + 8 * std::sin(0.7 * time),
                               from.pitch_deg + 5 * std::sin(0.9 * time), from.roll_deg);
      track.next(maker.landmarks(maker.face(e, pose)), maker.uncertainty(), maker.camera(), time);
      for (const FaceEvent& event : track.take_events()) told.push_back(event);
    }
    for (const double at : truth) {
      const auto hit = std::find_if(told.begin(), told.end(), [&](const FaceEvent& event) {
        return event.kind == FaceEventKind::blink && std::abs(event.start_s - at) < 0.15;
      });
      ++shown;
      if (hit == told.end()) continue;
      ++found;
      late.push_back((hit->start_s - at) * kRate);
      told.erase(hit);
    }
    wrong += static_cast<int>(std::count_if(
        told.begin(), told.end(), [](const FaceEvent& e) { return e.kind == FaceEventKind::blink; }));
  }
  double mean = 0;
  for (const double frames : late)
    mean += frames / static_cast<double>(std::max<std::size_t>(late.size(), 1));
  std::printf(
      "blinks of 3 frames at 25/s, noise %.1f px: %d shown, %d found, %d missed, %d where none was; begin "
      "%.2f frames late on average, %.0f to %.0f\n",
      noise_px, shown, found, shown - found, wrong, mean, quantile(late, 0), quantile(late, 1));
}

void nods_and_shakes(const FaceModel& model, const Options& options) {
  Maker maker(model, options, 3, options.noise_px);
  int shown[2] = {}, found[2] = {}, wrong = 0;
  for (int person = 0; person < 10; ++person) {
    maker.new_person();
    FaceModelTrack track(model);
    const CameraPose base = maker.any_pose();
    const CameraPose from = make_camera_pose(base.rotation, base.translation_mm);
    std::vector<FaceEvent> told;
    for (int f = 0; f < 20 * kRate; ++f) {
      const double time = f / kRate, within = std::fmod(time, 5.0);
      const double swing = within < 1.5 ? 8 * std::sin(2 * std::numbers::pi * within / 0.75) : 0;
      const bool nod = static_cast<int>(time / 5) % 2 == 0;
      CameraPose pose = base;
      pose.rotation = rotation(from.yaw_deg + (nod ? 0 : swing) + 5 * std::sin(0.8 * time),
                               from.pitch_deg + (nod ? swing : 0), from.roll_deg);
      track.next(maker.landmarks(maker.face(std::vector<float>(model.expression_names().size(), 0), pose)),
                 maker.uncertainty(), maker.camera(), time);
      for (const FaceEvent& event : track.take_events()) told.push_back(event);
    }
    for (int k = 0; k < 4; ++k) {
      const FaceEventKind kind = k % 2 ? FaceEventKind::shake : FaceEventKind::nod;
      ++shown[k % 2];
      const auto hit = std::find_if(told.begin(), told.end(), [&](const FaceEvent& event) {
        return event.kind == kind && event.start_s > 5 * k - 0.7 && event.end_s < 5 * k + 2.2;
      });
      if (hit == told.end()) continue;
      ++found[k % 2];
      told.erase(hit);
    }
    wrong += static_cast<int>(std::count_if(
        told.begin(), told.end(), [](const FaceEvent& e) { return e.kind != FaceEventKind::blink; }));
  }
  std::printf("nods: %d of %d found; shakes: %d of %d; %d where none was\n", found[0], shown[0], found[1],
              shown[1], wrong);
}

void still_face(const FaceModel& model, const Options& options) {
  Maker maker(model, options, 4, options.noise_px);
  maker.new_person();
  FaceModelTrack track(model);
  CameraPose pose;
  pose.rotation = rotation(12, -5, 3);
  pose.translation_mm = {50, 20, 1000};
  const Face3d truth = maker.face(std::vector<float>(model.expression_names().size(), 0), pose);
  std::vector<std::vector<double>> values(6 + blendshapes().size());
  for (int f = 0; f < 200; ++f) {
    const Face3d found = track.next(maker.landmarks(truth), maker.uncertainty(), maker.camera(), f / kRate);
    if (f < 100) continue;
    const CameraPose& p = found.pose;
    const double pose_values[] = {p.yaw_deg,           p.pitch_deg,         p.roll_deg,
                                  p.translation_mm[0], p.translation_mm[1], p.translation_mm[2]};
    for (std::size_t i = 0; i < 6; ++i) values[i].push_back(pose_values[i]);
    for (std::size_t i = 0; i < found.blendshapes.size(); ++i) values[6 + i].push_back(found.blendshapes[i]);
  }
  const auto deviation = [](const std::vector<double>& v) {
    double mean = 0, sum = 0;
    for (const double x : v) mean += x / static_cast<double>(v.size());
    for (const double x : v) sum += (x - mean) * (x - mean) / static_cast<double>(v.size());
    return std::sqrt(sum);
  };
  double shapes = 0;
  for (std::size_t i = 6; i < values.size(); ++i)
    shapes += deviation(values[i]) / static_cast<double>(values.size() - 6);
  std::printf(
      "still face, standard deviations: yaw %.2f pitch %.2f roll %.2f deg, x %.1f y %.1f z %.1f mm, "
      "blendshapes %.3f (mean)\n",
      deviation(values[0]), deviation(values[1]), deviation(values[2]), deviation(values[3]),
      deviation(values[4]), deviation(values[5]), shapes);
}

// POSIT on the mean face under the crop's camera, as the trainer takes poses (docs/head-pose.md).
std::optional<HeadPose> posit_pose(const scheme::Database& database, const std::vector<Point>& landmarks,
                                   double* centre) {
  double x0 = 1e9, x1 = -1e9, y0 = 1e9, y1 = -1e9;
  for (const Point& p : landmarks) {
    x0 = std::min<double>(x0, p.x), x1 = std::max<double>(x1, p.x);
    y0 = std::min<double>(y0, p.y), y1 = std::max<double>(y1, p.y);
  }
  const double side = 1.6 * std::max(x1 - x0, y1 - y0), left = 0.5 * (x0 + x1 - side),
               top = 0.5 * (y0 + y1 - side);
  centre[0] = 0.5 * (x0 + x1), centre[1] = 0.5 * (y0 + y1);
  std::vector<geometry::Vector3> world;
  std::vector<Point> image;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    if (!geometry::is_posit_landmark(database.ids[i])) continue;
    const auto& m = database.mean_face[i];
    world.push_back({m[2], -m[0], -m[1]});
    image.push_back({static_cast<float>((landmarks[i].x - left) / side),
                     static_cast<float>((landmarks[i].y - top) / side)});
  }
  const auto pose = geometry::posit(world, image);
  if (!pose) return std::nullopt;
  return geometry::head_pose_from_rigid(*pose);
}

struct Spread {
  std::vector<double> yaw, pitch, roll;
  void add(double y, double p, double r) {
    yaw.push_back(std::remainder(y, 360.0)), pitch.push_back(std::remainder(p, 360.0)),
        roll.push_back(std::remainder(r, 360.0));
  }
  void print(const char* what) const {
    std::printf("  %-12s", what);
    for (const auto* v : {&yaw, &pitch, &roll}) {
      const double middle = quantile(*v, .5);
      std::vector<double> off;
      for (const double x : *v) off.push_back(std::abs(x - middle));
      std::printf("  %+6.2f (%.2f)", middle, 1.4826 * quantile(off, .5));
    }
    std::printf("\n");
  }
};

void against_posit(const FaceModel& model, const Options& options) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  Maker maker(model, options, 5, options.noise_px);
  std::printf(
      "error by yaw on made-up faces under a known camera: median (spread) of yaw, pitch, roll in degrees\n");
  for (int bin = 0; bin < 5; ++bin) {
    Spread fit, posit;
    for (int i = 0; i < options.faces / 5; ++i) {
      maker.new_person();
      const double yaw = (maker.chance(0.5) ? 1 : -1) * maker.uniform(15 * bin, 15 * bin + 15);
      const Face3d truth =
          maker.face(maker.expression(0.33), maker.pose(yaw, maker.uniform(-20, 20), maker.uniform(-20, 20)));
      const std::vector<Point> landmarks = maker.landmarks(truth);
      const Face3d found = model.fit(landmarks, maker.uncertainty(), maker.camera());
      const double side = yaw > 0 ? 1 : -1;  // positive: too far to the side
      fit.add(side * (found.pose.yaw_deg - truth.pose.yaw_deg), found.pose.pitch_deg - truth.pose.pitch_deg,
              side * (found.pose.roll_deg - truth.pose.roll_deg));
      double centre[2];
      const auto pose = posit_pose(database, landmarks, centre);
      if (!pose) continue;
      const Camera& c = maker.camera();
      posit.add(side * (pose->yaw_deg - std::atan((centre[0] - c.cx) / c.fx) / kDegree - truth.pose.yaw_deg),
                pose->pitch_deg + std::atan((centre[1] - c.cy) / c.fy) / kDegree - truth.pose.pitch_deg,
                side * (pose->roll_deg - truth.pose.roll_deg));
    }
    std::printf(" |yaw| %d to %d\n", 15 * bin, 15 * bin + 15);
    fit.print("FaceModel");
    posit.print("POSIT");
  }
}

// FaceModel under the crop's own camera, so that both mean the same angles.
void list_against_posit(const FaceModel& model, const std::string& path) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  const auto records = nlohmann::json::parse(base::read_file(path));
  std::map<int, Spread> bins;
  std::vector<double> reprojection;
  for (const auto& record : records) {
    std::vector<Point> landmarks;
    for (const auto& p : record.at("landmarks"))
      landmarks.push_back({p.at(0).get<float>(), p.at(1).get<float>()});
    double centre[2];
    const auto pose = posit_pose(database, landmarks, centre);
    if (!pose) continue;
    double x0 = 1e9, x1 = -1e9, y0 = 1e9, y1 = -1e9;
    for (const Point& p : landmarks) {
      x0 = std::min<double>(x0, p.x), x1 = std::max<double>(x1, p.x);
      y0 = std::min<double>(y0, p.y), y1 = std::max<double>(y1, p.y);
    }
    const double size = std::max(x1 - x0, y1 - y0);
    Camera camera;
    camera.fx = camera.fy = 1.5 * 1.6 * size;
    camera.cx = centre[0], camera.cy = centre[1];
    const Face3d face = model.fit(landmarks, {}, camera);
    const double side = pose->yaw_deg > 0 ? 1 : -1;
    bins[static_cast<int>(std::abs(pose->yaw_deg) / 15)].add(side * (face.pose.yaw_deg - pose->yaw_deg),
                                                             face.pose.pitch_deg - pose->pitch_deg,
                                                             side * (face.pose.roll_deg - pose->roll_deg));
    reprojection.push_back(100 * face.reprojection_px / size);
  }
  std::printf("FaceModel less POSIT, %zu faces: median (spread) of yaw, pitch, roll in degrees\n",
              reprojection.size());
  for (const auto& [bin, spread] : bins) {
    std::printf(" |yaw| %d to %d, %zu faces\n", 15 * bin, 15 * bin + 15, spread.yaw.size());
    spread.print("");
  }
  std::printf(
      "distance of landmarks to the fitted head: %.2f / %.2f %% of the face's size (median / 95 %%)\n",
      quantile(reprojection, .5), quantile(reprojection, .95));
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--faces")
      options.faces = std::atoi(argv[i + 1]);
    else if (name == "--tracks")
      options.tracks = std::atoi(argv[i + 1]);
    else if (name == "--noise")
      options.noise_px = std::atof(argv[i + 1]);
    else if (name == "--slide")
      options.slide_px = std::atof(argv[i + 1]);
    else if (name == "--offsets")
      options.offsets_mm = std::atof(argv[i + 1]);
    else if (name == "--seed")
      options.seed = static_cast<unsigned>(std::atoi(argv[i + 1]));
    else if (name == "--list")
      options.list = argv[i + 1];
    else
      throw Error(ErrorCode::invalid_argument, "unknown option " + name);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse(argc, argv);
  const FaceModel model = FaceModel::load();
  if (!options.list.empty()) {
    list_against_posit(model, options.list);
    return 0;
  }
  const Recovery single = single_frames(model, options), track = tracks(model, options);
  print_correlations(model, single, track);
  blinks(model, options, options.noise_px);
  blinks(model, options, 0.5 * options.noise_px);
  nods_and_shakes(model, options);
  still_face(model, options);
  against_posit(model, options);
  std::printf("the head's file: %.1f MB\n",
              1e-6 * static_cast<double>(std::filesystem::file_size(default_head_path())));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "face3d: %s\n", error.what());
  return 1;
}
