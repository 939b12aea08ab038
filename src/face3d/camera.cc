// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "face3d/camera.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "base/file.h"
#include "base/text.h"
#include "spiga/error.h"

namespace spiga {
namespace {

constexpr std::size_t kMostYamlBytes = 1 << 20;
constexpr double kNearest_mm = 1;
constexpr double kFarthestPast = 3;  // focal lengths: 72 degrees

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::invalid_argument, "camera: " + what);
}

// OpenCV's model, on the plane z = 1.
std::array<double, 2> distorted(const std::array<double, 5>& d, double x, double y) {
  const auto [k1, k2, p1, p2, k3] = d;
  const double r2 = x * x + y * y, radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3));
  return {x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
          y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y};
}

Camera camera_of_numbers(const std::vector<double>& numbers) {
  Camera camera;
  camera.fx = numbers[0];
  camera.fy = numbers[1];
  camera.cx = numbers[2];
  camera.cy = numbers[3];
  for (std::size_t i = 4; i < numbers.size(); ++i) camera.distortion[i - 4] = numbers[i];
  check_camera(camera);
  return camera;
}

// The text behind "KEY:" at a line's begin; empty where there is none.
std::string_view value_of(std::string_view yaml, std::string_view key) {
  for (std::size_t at = yaml.find(key); at != std::string_view::npos; at = yaml.find(key, at + 1)) {
    const bool line_start = at == 0 || yaml[at - 1] == '\n';
    const std::size_t behind = at + key.size();
    if (line_start && behind < yaml.size() && yaml[behind] == ':') return yaml.substr(behind + 1);
  }
  return {};
}

// The numbers of a matrix's "data: [ ... ]", in whatever lines they stand.
std::vector<double> matrix_data(std::string_view value, const std::string& path, std::string_view key) {
  const auto wrong = [&](const std::string& what) -> Error {
    return Error(ErrorCode::bad_data, base::concat(path, ": ", key, ": ", what));
  };
  const std::size_t data = value.find("data"),
                    open = value.find('[', data == std::string_view::npos ? 0 : data);
  const std::size_t close = value.find(']', open == std::string_view::npos ? 0 : open);
  if (data == std::string_view::npos || open == std::string_view::npos || close == std::string_view::npos)
    throw wrong("no 'data: [...]'");
  std::string inside(value.substr(open + 1, close - open - 1));
  std::replace_if(
      inside.begin(), inside.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  std::vector<double> numbers;
  for (const std::string_view item : base::split(inside, ',')) {
    std::string_view text = base::trim(item);
    if (text.ends_with('.')) text.remove_suffix(1);  // OpenCV writes "0."
    const std::optional<double> number = base::parse_double(text);
    if (!number) throw wrong(base::concat("'", base::printable(base::trim(item)), "' is no number"));
    numbers.push_back(*number);
  }
  return numbers;
}

int size_field(std::string_view yaml, std::string_view key) {
  std::string_view value = value_of(yaml, key);
  value = base::trim(value.substr(0, value.find('\n')));
  const std::optional<long long> number = base::parse_int(value);
  return number && *number > 0 && *number < (1 << 20) ? static_cast<int>(*number) : 0;
}

Camera camera_of_yaml(const std::string& path) {
  const std::string yaml = base::read_file(path, kMostYamlBytes);
  const std::string_view matrix = value_of(yaml, "camera_matrix");
  if (matrix.empty())
    throw Error(ErrorCode::bad_data,
                base::concat(path, ": no 'camera_matrix:': expected a YAML file of OpenCV's calibration"));
  const std::vector<double> m = matrix_data(matrix, path, "camera_matrix");
  if (m.size() != 9)
    throw Error(ErrorCode::bad_data,
                base::concat(path, ": camera_matrix has ", m.size(), " numbers, expected 9"));
  Camera camera;
  camera.fx = m[0];
  camera.cx = m[2];
  camera.fy = m[4];
  camera.cy = m[5];
  std::string_view key = "distortion_coefficients";
  if (value_of(yaml, key).empty()) key = "dist_coeffs";
  if (const std::string_view value = value_of(yaml, key); !value.empty()) {
    const std::vector<double> d = matrix_data(value, path, key);
    if (d.size() != 4 && d.size() != 5)
      throw Error(ErrorCode::bad_data, base::concat(path, ": ", key, " has ", d.size(),
                                                    " numbers, expected k1, k2, p1, p2 and maybe k3"));
    std::copy(d.begin(), d.end(), camera.distortion.begin());
  }
  camera.width = size_field(yaml, "image_width");
  camera.height = size_field(yaml, "image_height");
  try {
    check_camera(camera);
  } catch (const Error& error) {
    throw Error(ErrorCode::bad_data, base::concat(path, ": ", error.what()));
  }
  return camera;
}

// A picture may be cut out of a larger one, so that the camera's axis goes past it, but not by more than
// lenses see.
void check_axis(const char* name, double centre, double focal, int pixels) {
  const double past = std::max({-centre, centre - (pixels - 1), 0.0});
  if (past > kFarthestPast * focal)
    refuse(base::concat(name, " is ", centre, ": the camera's axis passes the picture of ", pixels,
                        " pixels by ", past, ", expected at most ", kFarthestPast, " focal lengths"));
}

}  // namespace

void check_camera(const Camera& camera) {
  const auto check_focal = [](const char* name, double value) {
    if (!std::isfinite(value) || value < 1 || value > 1e7)
      refuse(base::concat(name, " is ", value, ", expected a focal length in pixels, 1 to 1e7"));
  };
  check_focal("fx", camera.fx);
  check_focal("fy", camera.fy);
  if (camera.fx > 4 * camera.fy || camera.fy > 4 * camera.fx)
    refuse(base::concat("fx is ", camera.fx, " and fy ", camera.fy, ", expected nearly the same"));
  const auto check_centre = [](const char* name, double value) {
    if (!std::isfinite(value) || std::abs(value) > 1e6)
      refuse(base::concat(name, " is ", value, ", expected a place in the picture"));
  };
  check_centre("cx", camera.cx);
  check_centre("cy", camera.cy);
  constexpr const char* kNames[] = {"k1", "k2", "p1", "p2", "k3"};
  for (std::size_t i = 0; i < 5; ++i)
    if (!std::isfinite(camera.distortion[i]) || std::abs(camera.distortion[i]) > 1e4)
      refuse(
          base::concat("distortion ", kNames[i], " is ", camera.distortion[i], ", expected a small number"));
  if (camera.width < 0 || camera.height < 0 || (camera.width == 0) != (camera.height == 0))
    refuse(base::concat("width x height is ", camera.width, " x ", camera.height));
}

Camera guessed_camera(int width, int height) {
  Camera camera;
  camera.fx = camera.fy = std::max({width, height, 1});
  camera.cx = 0.5 * (width - 1);
  camera.cy = 0.5 * (height - 1);
  camera.guessed = true;
  return camera;
}

Camera camera_from_fov(double fov_deg, int width, int height) {
  if (!(fov_deg >= 1 && fov_deg <= 170))
    refuse(base::concat("field of view is ", fov_deg, " degrees, expected 1 to 170"));
  Camera camera = guessed_camera(width, height);
  camera.fx = camera.fy = 0.5 * width / std::tan(0.5 * fov_deg * std::numbers::pi / 180);
  camera.guessed = false;
  check_camera(camera);
  return camera;
}

Camera parse_camera(const std::string& numbers_or_file) {
  std::vector<double> numbers;
  const std::vector<std::string_view> parts = base::split(numbers_or_file, ',');
  for (const std::string_view part : parts)
    if (const std::optional<double> number = base::parse_double(base::trim(part))) numbers.push_back(*number);
  if (numbers.size() == parts.size() && (numbers.size() == 4 || numbers.size() == 9))
    return camera_of_numbers(numbers);
  if (numbers.empty() || std::filesystem::exists(numbers_or_file)) return camera_of_yaml(numbers_or_file);
  refuse(base::concat("'", base::printable(numbers_or_file),
                      "': expected fx,fy,cx,cy (and maybe k1,k2,p1,p2,k3) or a YAML file"));
}

Camera camera_for_picture(const Camera& camera, int width, int height) {
  check_camera(camera);
  const auto on_picture = [&](const Camera& chosen) {
    check_axis("cx", chosen.cx, chosen.fx, width);
    check_axis("cy", chosen.cy, chosen.fy, height);
    return chosen;
  };
  if (camera.width == 0 || (camera.width == width && camera.height == height)) return on_picture(camera);
  const double sx = static_cast<double>(width) / camera.width,
               sy = static_cast<double>(height) / camera.height;
  if (!(std::abs(sx - sy) <= 0.01 * sx))
    refuse(base::concat("calibrated on ", camera.width, " x ", camera.height, " pictures, this one is ",
                        width, " x ", height));
  Camera scaled = camera;
  scaled.fx *= sx;
  scaled.fy *= sy;
  scaled.cx = (camera.cx + 0.5) * sx - 0.5;
  scaled.cy = (camera.cy + 0.5) * sy - 0.5;
  scaled.width = width;
  scaled.height = height;
  return on_picture(scaled);
}

std::optional<Point> project_point(const Camera& camera, const std::array<double, 3>& point_mm) {
  const auto [x, y, z] = point_mm;
  if (!(z >= kNearest_mm)) return std::nullopt;
  return face3d::pixel_of(camera, x / z, y / z);
}

namespace face3d {

Point pixel_of(const Camera& camera, double x, double y) {
  const auto [u, v] = distorted(camera.distortion, x, y);
  return {static_cast<float>(camera.fx * u + camera.cx), static_cast<float>(camera.fy * v + camera.cy)};
}

std::optional<std::array<double, 2>> ray_of(const Camera& camera, const Point& pixel) {
  const double u = (pixel.x - camera.cx) / camera.fx, v = (pixel.y - camera.cy) / camera.fy;
  const auto& d = camera.distortion;
  if (std::all_of(d.begin(), d.end(), [](double k) { return k == 0; })) return std::array{u, v};
  double x = u, y = v;
  for (int round = 0; round < 50; ++round) {  // Newton, with the Jacobian by differences
    const auto [fx, fy] = distorted(d, x, y);
    const double ex = u - fx, ey = v - fy;
    if (ex * ex + ey * ey < 1e-20) break;
    constexpr double kStep = 1e-6;
    const auto [ax, ay] = distorted(d, x + kStep, y);
    const auto [bx, by] = distorted(d, x, y + kStep);
    const double a = (ax - fx) / kStep, c = (ay - fy) / kStep, b = (bx - fx) / kStep, e = (by - fy) / kStep;
    const double determinant = a * e - b * c;
    if (!(determinant > 1e-6)) return std::nullopt;  // folds over itself there
    x += (e * ex - b * ey) / determinant;
    y += (a * ey - c * ex) / determinant;
    if (!(x * x + y * y < 1e4)) return std::nullopt;
  }
  const auto [fx, fy] = distorted(d, x, y);
  if (!(std::hypot(fx - u, fy - v) < 1e-6)) return std::nullopt;
  return std::array{x, y};
}

}  // namespace face3d
}  // namespace spiga
