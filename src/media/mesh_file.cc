// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/mesh_file.h"

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/file.h"
#include "base/numbers.h"
#include "media/picture_writer.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;

// Positive where the triangle looks at the camera (corners counter-clockwise, y down).
float area(const Point& a, const Point& b, const Point& c) {
  return (b.y - a.y) * (c.x - a.x) - (b.x - a.x) * (c.y - a.y);
}

std::string object_text(const Mesh& mesh, const FaceModel& model, const std::string& name,
                        const Image& picture) {
  std::string out =
      "# spiga: millimetres, x right, y up, z towards the camera\nmtllib " + name + ".mtl\no face\n";
  const auto line = [&out](const char* kind, std::initializer_list<double> values, int decimals) {
    out += kind;
    for (const double value : values) {
      out += ' ';
      base::append_fixed(out, value, decimals);
    }
    out += '\n';
  };
  for (const auto& v : mesh.vertices_mm) line("v", {v[0], -v[1], -v[2]}, 3);
  for (const Point& p : mesh.pixels)
    line("vt", {(p.x + 0.5) / picture.width(), 1 - (p.y + 0.5) / picture.height()}, 6);
  out += "usemtl picture\n";
  for (const auto& t : model.triangles()) {
    out += 'f';
    for (const int corner : t) {
      const std::string number = std::to_string(corner + 1);
      out.append(" ").append(number).append("/").append(number);
    }
    out += '\n';
  }
  return out;
}

}  // namespace

void write_mesh(const fs::path& base, const FaceModel& model, const Face3d& face, const Camera& camera,
                const Image& picture) {
  const Mesh mesh = model.mesh(face, camera);
  const std::string name = base.filename().string();
  const auto beside = [&](const char* extension) { return base.parent_path() / (name + extension); };
  write_picture(beside(".png"), picture);
  base::write_file(beside(".mtl"), "newmtl picture\nKa 1 1 1\nKd 1 1 1\nillum 0\nmap_Kd " + name + ".png\n");
  base::write_file(beside(".obj"), object_text(mesh, model, name, picture));
}

void draw_mesh(Image& picture, const FaceModel& model, const Face3d& face, const Camera& camera) {
  if (picture.format() != PixelFormat::bgr8)
    throw Error(ErrorCode::invalid_argument, "overlay: expected a bgr8 picture");
  const Mesh mesh = model.mesh(face, camera);
  cv::Mat canvas(picture.height(), picture.width(), CV_8UC3, picture.data());
  const auto corner = [&](int vertex) {
    const Point& p = mesh.pixels[static_cast<std::size_t>(vertex)];
    return cv::Point(static_cast<int>(std::lround(16 * p.x)), static_cast<int>(std::lround(16 * p.y)));
  };
  cv::Mat lines = canvas.clone();
  for (const auto& t : model.triangles()) {
    if (area(mesh.pixels[t[0]], mesh.pixels[t[1]], mesh.pixels[t[2]]) <= 0) continue;
    for (std::size_t k = 0; k < 3; ++k)
      cv::line(lines, corner(t[k]), corner(t[(k + 1) % 3]), cv::Scalar(255, 220, 120), 1, cv::LINE_AA, 4);
  }
  cv::addWeighted(lines, 0.35, canvas, 0.65, 0, canvas);
}

}  // namespace spiga::media
