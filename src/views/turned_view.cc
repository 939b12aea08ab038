// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "views/turned_view.h"

#include <Eigen/Dense>
#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "geometry/affine.h"
#include "geometry/boxes.h"
#include "geometry/head_pose.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "vision/image_mat.h"

namespace spiga::views {
namespace {

using Eigen::Matrix3d;
using Eigen::Vector3d;

constexpr std::size_t kLandmarks = 68, kContour = 17;
constexpr float kNowhere = 1e9F;  // depth where nothing is, mm
constexpr double kHidden_mm = 8;  // a landmark this far behind the head's surface is hidden by it
constexpr double kFocal = 8;      // of the box's larger side: a camera more than a metre away, as is usual
constexpr double kFalloff = 0.1;  // of the view's side: how fast the background leaves the head's depth
constexpr double kMiddle_share = 0.7;  // depth of the axis of turning: this share of the vertices lies before
constexpr double kBack_share = 0.85;   // depth of the background, likewise
constexpr int kCoarse = 4;             // grid cells beyond the picture's edge, pixels

constexpr double radians(double degrees) { return degrees * std::numbers::pi / 180; }

// The square around the face, as large as the view.
struct Scene {
  cv::Mat pixels;            // bgr, side x side, mirrored beyond the picture's edge
  Camera camera;             // of the square
  double scale = 1;          // view pixels per picture pixel
  double left = 0, top = 0;  // of the square, picture pixel indices of its first pixel
  double box_side = 0;       // view pixels

  Point to_view(const Point& p) const {
    return {static_cast<float>((p.x - left) * scale), static_cast<float>((p.y - top) * scale)};
  }
};

Scene cut_scene(const MarkedFace& face, const ImageView& picture, const ViewLimits& limits) {
  Scene scene;
  const double box_side = std::max(face.box.width, face.box.height);
  const double side = limits.margin * box_side;
  scene.scale = limits.side / side;
  scene.box_side = box_side * scene.scale;
  const double middle = (limits.side - 1) / 2.0;
  scene.left = face.box.x + face.box.width / 2 - middle / scene.scale;
  scene.top = face.box.y + face.box.height / 2 - middle / scene.scale;
  scene.camera.fx = scene.camera.fy = kFocal * scene.box_side;
  scene.camera.cx = scene.camera.cy = middle;
  const cv::Matx23d view_from_picture(scene.scale, 0, -scene.left * scene.scale, 0, scene.scale,
                                      -scene.top * scene.scale);
  cv::Mat bgr;
  vision::to_bgr(vision::as_mat(picture), picture.format, bgr);
  cv::warpAffine(bgr, scene.pixels, view_from_picture, {limits.side, limits.side},
                 scene.scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR, cv::BORDER_REFLECT_101);
  return scene;
}

// A triangle of three points on the view with a depth (mm) and two values each that change linearly over it.
struct Corner {
  float x = 0, y = 0, depth = 0, u = 0, v = 0;
};

// Calls paint(x, y, depth, u, v) for every pixel that the triangle covers. Depth is interpolated by its
// inverse, as perspective asks.
template <typename Paint>
void fill_triangle(const Corner& a, const Corner& b, const Corner& c, int width, int height,
                   const Paint& paint) {
  const float area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
  if (!(std::abs(area) > 1e-9F)) return;
  const int x0 = std::max(0, static_cast<int>(std::ceil(std::min({a.x, b.x, c.x}))));
  const int x1 = std::min(width - 1, static_cast<int>(std::floor(std::max({a.x, b.x, c.x}))));
  const int y0 = std::max(0, static_cast<int>(std::ceil(std::min({a.y, b.y, c.y}))));
  const int y1 = std::min(height - 1, static_cast<int>(std::floor(std::max({a.y, b.y, c.y}))));
  for (int y = y0; y <= y1; ++y) {
    for (int x = x0; x <= x1; ++x) {
      const auto px = static_cast<float>(x), py = static_cast<float>(y);
      const float wb = ((px - a.x) * (c.y - a.y) - (c.x - a.x) * (py - a.y)) / area;
      const float wc = ((b.x - a.x) * (py - a.y) - (px - a.x) * (b.y - a.y)) / area;
      const float wa = 1 - wb - wc;
      if (wa < 0 || wb < 0 || wc < 0) continue;
      const float depth = 1 / (wa / a.depth + wb / b.depth + wc / c.depth);
      paint(x, y, depth, wa * a.u + wb * b.u + wc * c.u, wa * a.v + wb * b.v + wc * c.v);
    }
  }
}

// Depth of the nearest surface of the mesh at every pixel of the view, kNowhere beside it.
cv::Mat1f depth_of_mesh(std::span<const Point> pixels, std::span<const float> depths,
                        std::span<const std::array<std::uint16_t, 3>> triangles, int side) {
  cv::Mat1f nearest(side, side, kNowhere);
  for (const auto& triangle : triangles) {
    std::array<Corner, 3> corners;
    for (std::size_t k = 0; k < 3; ++k)
      corners[k] = {pixels[triangle[k]].x, pixels[triangle[k]].y, depths[triangle[k]], 0, 0};
    fill_triangle(corners[0], corners[1], corners[2], side, side,
                  [&](int x, int y, float depth, float, float) {
                    float& here = nearest(y, x);
                    here = std::min(here, depth);
                  });
  }
  return nearest;
}

float depth_at_share(std::vector<float> depths, double share) {
  const auto at =
      depths.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(depths.size() - 1));
  std::ranges::nth_element(depths, at);
  return *at;
}

// Beside the head the depth goes over from that of the nearest point of the head to the background's.
cv::Mat1f with_background(const cv::Mat1f& head, float back) {
  const int side = head.rows;
  const cv::Mat outside = head >= kNowhere / 2;
  cv::Mat1f distance;
  cv::Mat1i label;
  cv::distanceTransform(outside, distance, label, cv::DIST_L2, cv::DIST_MASK_5, cv::DIST_LABEL_PIXEL);
  std::vector<float> depth_of_label(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) + 1,
                                    back);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      if (outside.at<uchar>(y, x) == 0) depth_of_label[static_cast<std::size_t>(label(y, x))] = head(y, x);
  cv::Mat1f depth(side, side);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const auto weight = static_cast<float>(std::exp(-distance(y, x) / (kFalloff * side)));
      const float nearest = depth_of_label[static_cast<std::size_t>(label(y, x))];
      depth(y, x) = outside.at<uchar>(y, x) != 0 ? weight * nearest + (1 - weight) * back : head(y, x);
    }
  cv::GaussianBlur(depth, depth, {}, 1.2);
  return depth;
}

struct Motion {
  Matrix3d rotation;
  Vector3d middle;
  Vector3d operator()(const Vector3d& p) const { return rotation * (p - middle) + middle; }
};

// First about the camera's x axis by the pitch, then about its y axis by the yaw; signs as HeadPose's.
Matrix3d rotation_of(const Turn& turn) {
  const auto about = [](double degrees, const Vector3d& axis) {
    return Eigen::AngleAxisd(radians(degrees), axis).toRotationMatrix();
  };
  return about(-turn.yaw_deg, Vector3d::UnitY()) * about(-turn.pitch_deg, Vector3d::UnitX());
}

Vector3d ray(const Camera& camera, double x, double y) {
  return {(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, 1};
}

Corner seen(const Camera& camera, const Vector3d& p, double u, double v) {
  return {static_cast<float>(camera.fx * p.x() / p.z() + camera.cx),
          static_cast<float>(camera.fy * p.y() / p.z() + camera.cy), static_cast<float>(p.z()),
          static_cast<float>(u), static_cast<float>(v)};
}

// What the turned picture shows where.
struct Rendering {
  cv::Mat2f source;     // of every pixel of the view, in pixels of the scene; beyond it: mirrored
  cv::Mat1f depth;      // kNowhere: a hole
  cv::Mat1b stretched;  // drawn out by more than the limit
};

// Paints a grid of cells `step` pixels wide with corners at first, first + step, ... up to last, both ways.
// With a step of 1 it is the scene's own pixels; a coarser one covers what lies around the scene, at the
// background's depth.
void paint_grid(const Scene& scene, const cv::Mat1f& depth, const Motion& motion, int first, int last,
                int step, float back, double stretch_limit, Rendering& out) {
  const int side = depth.rows, count = (last - first) / step + 1;
  const auto inside = [side](int i) { return i >= 0 && i < side; };
  std::vector<Corner> row(static_cast<std::size_t>(count)), before;
  for (int j = 0; j < count; ++j) {
    const int y = first + j * step;
    before.swap(row);
    row.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      const int x = first + i * step;
      const double z = inside(x) && inside(y) ? depth(y, x) : back;
      row[static_cast<std::size_t>(i)] = seen(scene.camera, motion(z * ray(scene.camera, x, y)), x, y);
    }
    if (j == 0) continue;
    for (int i = 1; i < count; ++i) {
      const int x = first + i * step;
      const bool within = inside(x) && inside(x - step) && inside(y) && inside(y - step);
      if (step > 1 && within) continue;  // the fine grid's
      const Corner &a = before[static_cast<std::size_t>(i - 1)], &b = before[static_cast<std::size_t>(i)],
                   &c = row[static_cast<std::size_t>(i - 1)], &d = row[static_cast<std::size_t>(i)];
      if (std::min({a.depth, b.depth, c.depth, d.depth}) < 1) continue;
      const double width = std::max(std::hypot(b.x - a.x, b.y - a.y), std::hypot(d.x - c.x, d.y - c.y));
      const double height = std::max(std::hypot(c.x - a.x, c.y - a.y), std::hypot(d.x - b.x, d.y - b.y));
      const bool drawn_out = std::max(width, height) > stretch_limit * step;
      const auto paint = [&](int px, int py, float z, float u, float v) {
        if (z >= out.depth(py, px)) return;
        out.depth(py, px) = z;
        out.source(py, px) = {u, v};
        out.stretched(py, px) = drawn_out ? 255 : 0;
      };
      // Back faces are culled: another surface lies before them.
      const auto faces_camera = [](const Corner& p, const Corner& q, const Corner& r) {
        return (q.x - p.x) * (r.y - p.y) - (r.x - p.x) * (q.y - p.y) > 0;
      };
      if (faces_camera(a, b, c)) fill_triangle(a, b, c, side, side, paint);
      if (faces_camera(b, d, c)) fill_triangle(b, d, c, side, side, paint);
    }
  }
}

Rendering render(const Scene& scene, const cv::Mat1f& depth, const Motion& motion, float back,
                 double stretch_limit) {
  const int side = depth.rows;
  Rendering out{cv::Mat2f(side, side, cv::Vec2f(-1, -1)), cv::Mat1f(side, side, kNowhere),
                cv::Mat1b(side, side, uchar{0})};
  paint_grid(scene, depth, motion, 0, side - 1, 1, back, stretch_limit, out);
  const int around = side / kCoarse * kCoarse;
  paint_grid(scene, depth, motion, -around, side - 1 + around, kCoarse, back, 1e9, out);
  return out;
}

// A pixel's place mirrored into [0, side - 1].
float mirrored(float place, int side) {
  const float last = static_cast<float>(side - 1);
  const float folded = std::fmod(std::abs(place), 2 * last);
  return folded > last ? 2 * last - folded : folded;
}

Image picture_of(const Scene& scene, const Rendering& rendering, const ImageView& background) {
  const int side = rendering.depth.rows;
  cv::Mat2f source = rendering.source.clone();
  for (cv::Vec2f& place : cv::Mat_<cv::Vec2f>(source))
    place = {mirrored(place[0], side), mirrored(place[1], side)};
  Image view(side, side, PixelFormat::bgr8);
  cv::Mat pixels(side, side, CV_8UC3, view.data());
  cv::Mat seen_pixels;
  cv::remap(scene.pixels, seen_pixels, source, cv::noArray(), cv::INTER_LINEAR, cv::BORDER_REFLECT_101);
  cv::Mat filling;
  vision::to_bgr(vision::as_mat(background), background.format, filling);
  cv::resize(filling, pixels, pixels.size(), 0, 0, cv::INTER_AREA);
  seen_pixels.copyTo(pixels, rendering.depth < kNowhere / 2);
  return view;
}

// The rotation by which a camera that looks along `direction` sees what one that looks along z sees.
Matrix3d looking_along(const Vector3d& direction) {
  return Eigen::Quaterniond::FromTwoVectors(direction, Vector3d::UnitZ()).toRotationMatrix();
}

struct Points {
  std::vector<geometry::Vector3> world;
  std::vector<Point> image;  // crop units
};

// The landmarks that POSIT looks at, before the camera of the box's crop.
Points posit_points(const MarkedFace& face, const scheme::Database& database) {
  const geometry::Affine crop = geometry::crop_from_image(face.box, 1);
  Points points;
  for (std::size_t i = 0; i < kLandmarks; ++i)
    if (geometry::is_posit_landmark(database.ids[i])) {
      points.world.push_back(database.world_points[i]);
      points.image.push_back(crop(face.landmarks[i]));
    }
  return points;
}

// The translation under which the camera sees the points best, given the rotation: linear least squares.
Vector3d translation_for(const Points& points, const Matrix3d& rotation) {
  const geometry::Camera& camera = geometry::kCropCamera;
  Matrix3d normal = Matrix3d::Zero();
  Vector3d right = Vector3d::Zero();
  for (std::size_t i = 0; i < points.world.size(); ++i) {
    const Vector3d p = rotation * Vector3d(points.world[i][0], points.world[i][1], points.world[i][2]);
    const double x = (points.image[i].x - camera.centre_x) / camera.focal;
    const double y = (points.image[i].y - camera.centre_y) / camera.focal;
    const Vector3d rows[] = {{1, 0, -x}, {0, 1, -y}};
    const double values[] = {x * p.z() - p.x(), y * p.z() - p.y()};
    for (int k = 0; k < 2; ++k) {
      normal += rows[k] * rows[k].transpose();
      right += rows[k] * values[k];
    }
  }
  return normal.ldlt().solve(right);
}

// As POSIT of the landmarks before the turn tells it, turned. `from`: on the scene, before; `to`: after.
std::optional<HeadPose> turned_pose(const MarkedFace& from, const MarkedFace& to, const Scene& scene,
                                    const Matrix3d& turn) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  const Points before = posit_points(from, database);
  const auto rigid = geometry::posit(before.world, before.image);
  if (!rigid) return std::nullopt;
  Matrix3d rotation;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      rotation(i, j) = rigid->rotation[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
  // The new box's crop has its axis through the new box's middle.
  const Vector3d axis = ray(scene.camera, to.box.x + to.box.width / 2, to.box.y + to.box.height / 2);
  const Matrix3d turned = looking_along(axis) * turn * rotation;
  const Vector3d t = translation_for(posit_points(to, database), turned);
  if (!(t.z() > 0)) return std::nullopt;
  geometry::RigidPose pose;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j)
      pose.rotation[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = turned(i, j);
    pose.translation[static_cast<std::size_t>(i)] = t[i];
  }
  return geometry::head_pose_from_rigid(pose);
}

// How far a point at that depth lies behind the surface that the camera sees there, mm; not above 0 beside
// it.
double behind(const cv::Mat1f& surface, const Point& p, double depth) {
  const int x = static_cast<int>(std::lround(p.x)), y = static_cast<int>(std::lround(p.y));
  if (x < 0 || y < 0 || x >= surface.cols || y >= surface.rows) return 0;
  return depth - surface(y, x);
}

struct Fitted {
  Scene scene;
  MarkedFace face;  // on the scene
  Face3d head;
};

std::optional<Fitted> fit_head(const FaceModel& head, const MarkedFace& face, const ImageView& picture,
                               const ViewLimits& limits, std::string& why) {
  const auto fail = [&why](const char* words) {
    why = words;
    return std::nullopt;
  };
  if (face.landmarks.size() != kLandmarks || face.visible.size() != kLandmarks)
    return fail("not 68 landmarks");
  if (std::ranges::any_of(face.visible, [](float v) { return v <= 0; })) return fail("landmarks missing");
  if (!(face.box.width > 0 && face.box.height > 0)) return fail("no box");
  Fitted fitted{cut_scene(face, picture, limits), face, {}};
  for (Point& point : fitted.face.landmarks) point = fitted.scene.to_view(point);
  fitted.face.box = geometry::tight_box(fitted.face.landmarks);
  try {
    fitted.head = head.fit(fitted.face.landmarks, {}, fitted.scene.camera);
  } catch (const Error&) {
    return fail("the head cannot be fitted");
  }
  if (fitted.head.reprojection_px > limits.most_residual * fitted.scene.box_side)
    return fail("the head does not fit");
  return fitted;
}

CameraPose turned_camera_pose(const CameraPose& pose, const Motion& motion) {
  Matrix3d rotation;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      rotation(i, j) = pose.rotation[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
  const Matrix3d turned = motion.rotation * rotation;
  const Vector3d t = motion({pose.translation_mm[0], pose.translation_mm[1], pose.translation_mm[2]});
  std::array<std::array<double, 3>, 3> rows;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = turned(i, j);
  return make_camera_pose(rows, {t.x(), t.y(), t.z()});
}

}  // namespace

std::optional<std::array<double, 2>> angles_of(const FaceModel& head, const MarkedFace& face,
                                               const ImageView& picture, const ViewLimits& limits) {
  std::string why;
  const auto fitted = fit_head(head, face, picture, limits, why);
  if (!fitted) return std::nullopt;
  return std::array{fitted->head.pose.yaw_deg, fitted->head.pose.pitch_deg};
}

std::optional<TurnedView> turn_view(const FaceModel& head, const MarkedFace& face, const ImageView& picture,
                                    const ImageView& background, const Turn& turn, const ViewLimits& limits,
                                    std::string& why) {
  const auto fail = [&why](const char* words) {
    why = words;
    return std::nullopt;
  };
  const std::optional<Fitted> fitted = fit_head(head, face, picture, limits, why);
  if (!fitted) return std::nullopt;
  const Scene& scene = fitted->scene;
  const int side = limits.side;

  const Mesh mesh = head.mesh(fitted->head, scene.camera);
  std::vector<float> depths;
  Vector3d middle = Vector3d::Zero();
  for (const auto& v : mesh.vertices_mm) {
    depths.push_back(v[2]);
    middle += Vector3d(v[0], v[1], 0) / static_cast<double>(mesh.vertices_mm.size());
  }
  middle.z() = depth_at_share(depths, kMiddle_share);
  const float back = depth_at_share(depths, kBack_share);
  const Motion motion{rotation_of(turn), middle};

  const cv::Mat1f first_surface = depth_of_mesh(mesh.pixels, depths, head.triangles(), side);
  const cv::Mat1f depth = with_background(first_surface, back);
  const Rendering rendering = render(scene, depth, motion, back, limits.stretch_limit);

  // The head after the turn: its surface, and its outline for the contour.
  Face3d turned_head = fitted->head;
  turned_head.pose = turned_camera_pose(fitted->head.pose, motion);
  std::vector<Point> contour, first_contour;
  Mesh turned_mesh;
  try {
    first_contour = head.landmarks(fitted->head, scene.camera);
    contour = head.landmarks(turned_head, scene.camera);
    turned_mesh = head.mesh(turned_head, scene.camera);
  } catch (const Error&) {
    return fail("the turned head lies behind the camera");
  }
  depths.clear();
  for (const auto& v : turned_mesh.vertices_mm) depths.push_back(v[2]);
  const cv::Mat1f surface = depth_of_mesh(turned_mesh.pixels, depths, head.triangles(), side);

  TurnedView view;
  view.face.landmarks.resize(kLandmarks);
  view.face.visible.assign(kLandmarks, 1);
  const double yaw = turned_head.pose.yaw_deg;
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    if (i < kContour) {
      // What the head leaves unexplained of the marked contour turns with it.
      const Point &marked = fitted->face.landmarks[i], &fit = first_contour[i];
      const Vector3d rest = motion.rotation * Vector3d(marked.x - fit.x, marked.y - fit.y, 0);
      view.face.landmarks[i] = {contour[i].x + static_cast<float>(rest.x()),
                                contour[i].y + static_cast<float>(rest.y())};
      continue;
    }
    const Point& place = fitted->face.landmarks[i];
    const Vector3d p = motion(fitted->head.points_mm[i][2] * ray(scene.camera, place.x, place.y));
    if (!(p.z() > 1)) return fail("a landmark lies behind the camera");
    const Corner there = seen(scene.camera, p, 0, 0);
    view.face.landmarks[i] = {there.x, there.y};
    // The fitted head may be off by a little: what was marked before the turn was seen.
    const double before = std::max(0.0, behind(first_surface, place, fitted->head.points_mm[i][2]));
    if (behind(surface, view.face.landmarks[i], p.z()) > kHidden_mm + before) view.face.visible[i] = 0;
  }
  if (std::abs(yaw) > limits.hidden_contour_yaw) {
    // The far side is the one on which the turned head's contour lies deeper.
    const auto depth_of = [&](std::size_t i) {
      return motion(Vector3d(fitted->head.points_mm[i][0], fitted->head.points_mm[i][1],
                             fitted->head.points_mm[i][2]))
          .z();
    };
    const bool first_is_far = depth_of(0) > depth_of(16);
    for (std::size_t i = 0; i < 8; ++i) view.face.visible[first_is_far ? i : 16 - i] = 0;
  }
  for (const Point& p : view.face.landmarks)
    if (!(p.x >= 0 && p.y >= 0 && p.x <= static_cast<float>(side - 1) && p.y <= static_cast<float>(side - 1)))
      return fail("the face leaves the view");
  view.face.box = geometry::tight_box(view.face.landmarks);
  const Box& box = view.face.box;
  const cv::Rect part =
      cv::Rect(static_cast<int>(box.x), static_cast<int>(box.y), std::max(1, static_cast<int>(box.width)),
               std::max(1, static_cast<int>(box.height))) &
      cv::Rect(0, 0, side, side);
  const cv::Mat on_head = surface(part) < kNowhere / 2;
  const double head_pixels = std::max(1, cv::countNonZero(on_head));
  const cv::Mat bad = (rendering.stretched(part) | (rendering.depth(part) > kNowhere / 2)) & on_head;
  if (cv::countNonZero(bad) > limits.most_stretched * head_pixels) return fail("drawn out too much");
  view.face.headpose = turned_pose(fitted->face, view.face, scene, motion.rotation);
  if (!view.face.headpose) return fail("no head pose");
  view.picture = picture_of(scene, rendering, background);
  return view;
}

}  // namespace spiga::views
