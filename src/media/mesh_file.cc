// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/mesh_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <string_view>

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

constexpr double kMeshOpacity = 0.6;

struct Facet {
  std::array<std::uint16_t, 3> corners;
  float depth_mm;
  float light;  // cosine between its normal and the way to the camera
};

// The triangles that look at the camera, the farthest first.
std::vector<Facet> facets_towards_camera(const Mesh& mesh, const FaceModel& model) {
  std::vector<Facet> facets;
  for (const auto& t : model.triangles()) {
    if (area(mesh.pixels[t[0]], mesh.pixels[t[1]], mesh.pixels[t[2]]) <= 0) continue;
    const cv::Vec3f a(mesh.vertices_mm[t[0]].data()), b(mesh.vertices_mm[t[1]].data()),
        c(mesh.vertices_mm[t[2]].data());
    const cv::Vec3f normal = (b - a).cross(c - a), middle = (a + b + c) / 3.0f;
    const double lengths = cv::norm(normal) * cv::norm(middle);
    if (lengths > 0)
      facets.push_back({t, middle[2], static_cast<float>(std::abs(normal.dot(middle)) / lengths)});
  }
  std::sort(facets.begin(), facets.end(),
            [](const Facet& x, const Facet& y) { return x.depth_mm > y.depth_mm; });
  return facets;
}

// glTF's binary buffer: little-endian numbers, each view at a multiple of four bytes.
class Buffer {
 public:
  template <typename T>
  void add(std::span<const T> values) {
    static_assert(std::endian::native == std::endian::little);
    views_.push_back({{"buffer", 0}, {"byteOffset", bytes_.size()}, {"byteLength", values.size_bytes()}});
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    bytes_.append((4 - bytes_.size() % 4) % 4, '\0');
  }
  const nlohmann::json& views() const { return views_; }
  const std::string& bytes() const { return bytes_; }

 private:
  nlohmann::json views_ = nlohmann::json::array();
  std::string bytes_;
};

void append_chunk(std::string& out, std::string_view type, std::string_view content) {
  const auto bytes = static_cast<std::uint32_t>(content.size());
  out.append(reinterpret_cast<const char*>(&bytes), 4).append(type).append(content);
}

// A binary glTF 2.0 file; the material takes no light, as the picture has it already.
std::string glb_bytes(const Mesh& mesh, const FaceModel& model, const Image& picture) {
  using nlohmann::json;
  std::vector<std::array<float, 3>> places;
  std::array<float, 3> low, high;
  low.fill(std::numeric_limits<float>::max());
  high.fill(std::numeric_limits<float>::lowest());
  for (const auto& v : mesh.vertices_mm) {
    places.push_back({v[0] / 1000, -v[1] / 1000, -v[2] / 1000});
    for (std::size_t axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], places.back()[axis]);
      high[axis] = std::max(high[axis], places.back()[axis]);
    }
  }
  std::vector<std::array<float, 2>> texture;
  for (const Point& p : mesh.pixels)
    texture.push_back({(p.x + 0.5f) / static_cast<float>(picture.width()),
                       (p.y + 0.5f) / static_cast<float>(picture.height())});
  const auto triangles = model.triangles();
  const std::vector<std::uint8_t> pixels = encode_picture(picture, ".png");
  Buffer buffer;
  buffer.add(std::span<const std::array<float, 3>>(places));
  buffer.add(std::span<const std::array<float, 2>>(texture));
  buffer.add(triangles);
  buffer.add(std::span<const std::uint8_t>(pixels));
  constexpr int kFloat = 5126, kUnsignedShort = 5123, kClampToEdge = 33071;  // OpenGL's
  const json file = {
      {"asset", {{"version", "2.0"}, {"generator", "spiga"}}},
      {"extensionsUsed", {"KHR_materials_unlit"}},
      {"scene", 0},
      {"scenes", {{{"nodes", {0}}}}},
      {"nodes", {{{"mesh", 0}, {"name", "face"}}}},
      {"meshes",
       {{{"primitives",
          {{{"attributes", {{"POSITION", 0}, {"TEXCOORD_0", 1}}}, {"indices", 2}, {"material", 0}}}}}}},
      {"materials",
       {{{"name", "picture"},
         {"doubleSided", true},
         {"pbrMetallicRoughness", {{"baseColorTexture", {{"index", 0}}}, {"metallicFactor", 0}}},
         {"extensions", {{"KHR_materials_unlit", json::object()}}}}}},
      {"textures", {{{"source", 0}, {"sampler", 0}}}},
      {"samplers", {{{"wrapS", kClampToEdge}, {"wrapT", kClampToEdge}}}},
      {"images", {{{"bufferView", 3}, {"mimeType", "image/png"}}}},
      {"accessors",
       {{{"bufferView", 0},
         {"componentType", kFloat},
         {"count", places.size()},
         {"type", "VEC3"},
         {"min", low},
         {"max", high}},
        {{"bufferView", 1}, {"componentType", kFloat}, {"count", texture.size()}, {"type", "VEC2"}},
        {{"bufferView", 2},
         {"componentType", kUnsignedShort},
         {"count", 3 * triangles.size()},
         {"type", "SCALAR"}}}},
      {"bufferViews", buffer.views()},
      {"buffers", {{{"byteLength", buffer.bytes().size()}}}}};
  std::string text = file.dump();
  text.append((4 - text.size() % 4) % 4, ' ');
  std::string chunks;
  append_chunk(chunks, "JSON", text);
  append_chunk(chunks, std::string_view("BIN\0", 4), buffer.bytes());
  const std::uint32_t header[2] = {2, static_cast<std::uint32_t>(12 + chunks.size())};
  std::string bytes = "glTF";
  bytes.append(reinterpret_cast<const char*>(header), sizeof header);
  return bytes + chunks;
}

}  // namespace

void write_mesh(const fs::path& base, MeshFormat format, const FaceModel& model, const Face3d& face,
                const Camera& camera, const Image& picture) {
  const Mesh mesh = model.mesh(face, camera);
  const std::string name = base.filename().string();
  if (format == MeshFormat::glb)
    return base::write_file(base.parent_path() / (name + ".glb"), glb_bytes(mesh, model, picture));
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
  cv::Mat shaded = canvas.clone();
  const auto corner = [&](int vertex) {
    const Point& p = mesh.pixels[static_cast<std::size_t>(vertex)];
    return cv::Point(static_cast<int>(std::lround(16 * p.x)), static_cast<int>(std::lround(16 * p.y)));
  };
  for (const Facet& facet : facets_towards_camera(mesh, model)) {
    const cv::Point corners[] = {corner(facet.corners[0]), corner(facet.corners[1]),
                                 corner(facet.corners[2])};
    const double light = facet.light * facet.light;
    cv::fillConvexPoly(shaded, corners, 3, cv::Scalar(255 * light, 220 * light, 150 * light), cv::LINE_8, 4);
  }
  cv::addWeighted(shaded, kMeshOpacity, canvas, 1 - kMeshOpacity, 0, canvas);
}

}  // namespace spiga::media
