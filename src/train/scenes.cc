// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/scenes.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "geometry/boxes.h"
#include "spiga/error.h"
#include "weights/safetensors.h"

namespace spiga::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using weights::DType;
using weights::TensorView;

constexpr int kLandmarks = 68;
constexpr std::size_t kFewestLandmarks = 20;     // of a face of which not all are annotated
constexpr const char* kScenes = "spiga.scenes";  // metadata: number of pictures
constexpr double kSameFace = 0.3;                // IoU from which a found face is an annotated one

std::string name_of(const char* kind, std::size_t index) { return base::concat(kind, '/', index); }

using Faces = std::map<std::string, std::vector<Box>>;  // by canonical path of the picture

std::string key_of(const fs::path& path) { return base::plain_path(path).string(); }

Box box_from(const json& numbers) {
  const auto b = numbers.get<std::vector<float>>();
  if (b.size() != 4)
    throw Error(ErrorCode::bad_data,
                base::concat("box: expected [x, y, width, height], found ", b.size(), " values"));
  return {b[0], b[1], b[2], b[3]};
}

// JSON lines of spiga analyze.
void read_found(const fs::path& path, Faces& found) {
  std::istringstream lines(base::read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const json picture = json::parse(line);
    if (!picture.contains("faces")) continue;  // a picture that could not be read
    for (const json& face : picture["faces"])
      found[key_of(picture.at("source").get<std::string>())].push_back(box_from(face.at("box")));
  }
}

bool is_known(const Point& p) { return !std::isnan(p.x) && !std::isnan(p.y); }

std::vector<Point> landmarks_from(const json& face) {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  std::vector<Point> points;
  for (const json& p : face.at("landmarks"))
    points.push_back(p.is_null() ? Point{kNone, kNone} : Point{p.at(0).get<float>(), p.at(1).get<float>()});
  if (points.size() != kLandmarks)
    throw Error(ErrorCode::bad_data,
                base::concat("landmarks: expected ", kLandmarks, ", found ", points.size()));
  const auto known = std::ranges::count_if(points, is_known);
  if (static_cast<std::size_t>(known) < kFewestLandmarks)
    throw Error(ErrorCode::bad_data, base::concat("landmarks: expected at least ", kFewestLandmarks,
                                                  " that are annotated, found ", known));
  return points;
}

// The boxes under `key`, none where it is not there.
std::vector<Box> boxes_from(const json& record, const char* key) {
  std::vector<Box> boxes;
  if (record.contains(key))
    for (const json& box : record[key]) boxes.push_back(box_from(box));
  return boxes;
}

// What an annotation says of a picture.
struct Annotated {
  std::vector<std::vector<Point>> faces;
  std::vector<Box> boxes, ignored, negatives;
};

Annotated annotated_from(const json& record) {
  Annotated result;
  for (const json& face : record.at("faces")) {
    if (face.contains("landmarks"))
      result.faces.push_back(landmarks_from(face));
    else
      result.boxes.push_back(box_from(face.at("box")));
  }
  result.ignored = boxes_from(record, "ignored");
  result.negatives = boxes_from(record, "negatives");
  return result;
}

// Tensors of the file to be, and their bytes.
class SceneWriter {
 public:
  explicit SceneWriter(const ScenePackOptions& options) : options_(options) {}

  void add(const fs::path& path, Annotated annotated, const std::vector<Box>& found) {
    const Image picture = options_.read_picture(path);
    add_pixels(picture);
    add_landmarks(annotated.faces);
    add_boxes("boxes", annotated.boxes);
    for (const Box& box : found)
      if (!is_annotated(annotated, box)) annotated.ignored.push_back(box);
    add_boxes("ignored", annotated.ignored);
    add_boxes("negatives", annotated.negatives);
    result_.faces += annotated.faces.size() + annotated.boxes.size();
    result_.ignored += annotated.ignored.size();
    ++result_.pictures;
  }

  ScenePackResult write(const fs::path& output) {
    weights::write_safetensors(output, tensors_, {{kScenes, base::concat(result_.pictures)}});
    return result_;
  }

 private:
  void add_pixels(const Image& picture) {
    if (picture.format() != PixelFormat::bgr8)
      throw Error(ErrorCode::bad_data, "picture: expected B G R pixels of 8 bits");
    const auto size = static_cast<std::size_t>(picture.stride_bytes()) * picture.height();
    add("pixels", DType::u8, {picture.height(), picture.width(), 3}, picture.data(), size);
  }

  void add_landmarks(const std::vector<std::vector<Point>>& faces) {
    std::vector<float> values;
    for (const auto& face : faces)
      for (const Point& p : face) values.insert(values.end(), {p.x, p.y});
    add("landmarks", values, {static_cast<std::int64_t>(faces.size()), kLandmarks, 2});
  }

  static bool is_annotated(const Annotated& annotated, const Box& found) {
    const auto same = [&](const Box& box) {
      return geometry::intersection_over_union(box, found) > kSameFace;
    };
    return std::ranges::any_of(annotated.faces, [&](const auto& face) { return same(face_box(face)); }) ||
           std::ranges::any_of(annotated.boxes, same);
  }

  void add_boxes(const char* kind, const std::vector<Box>& boxes) {
    std::vector<float> values;
    for (const Box& box : boxes) values.insert(values.end(), {box.x, box.y, box.width, box.height});
    add(kind, values, {static_cast<std::int64_t>(boxes.size()), 4});
  }

  void add(const char* kind, const std::vector<float>& values, const weights::Shape& shape) {
    if (!values.empty()) add(kind, DType::f32, shape, values.data(), values.size() * sizeof(float));
  }

  void add(const char* kind, DType type, const weights::Shape& shape, const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    bytes_.emplace_back(bytes, bytes + size);
    tensors_.push_back({name_of(kind, result_.pictures), {type, shape, bytes_.back()}});
  }

  const ScenePackOptions& options_;
  std::list<std::vector<std::uint8_t>> bytes_;
  std::vector<weights::NamedTensor> tensors_;
  ScenePackResult result_;
};

void add_annotations(const fs::path& path, const Faces& found, const ScenePackOptions& options,
                     SceneWriter& writer) {
  const json list = json::parse(base::read_file(path));
  std::size_t done = 0;
  for (const json& record : list) {
    const fs::path picture = path.parent_path() / record.at("imgpath").get<std::string>();
    const auto others = found.find(key_of(picture));
    writer.add(picture, annotated_from(record), others == found.end() ? std::vector<Box>() : others->second);
    if (options.on_progress) options.on_progress(++done, list.size());
  }
}

}  // namespace

struct SceneDataset::Content {
  explicit Content(const std::string& file_path) : file(file_path), path(file_path) {}

  weights::SafetensorsFile file;
  std::string path;
  std::vector<Scene> scenes;

  std::span<const float> floats(const std::string& name, std::size_t row) const {
    const TensorView* view = file.find(name);
    if (!view) return {};
    const auto values = weights::float32_in_place(*view);
    if (values.empty() || view->shape.empty() ||
        values.size() != static_cast<std::size_t>(view->shape[0]) * row)
      throw Error(ErrorCode::bad_data, base::concat(path, ": tensor '", name, "': expected rows of ", row,
                                                    " float32, found ", weights::to_string(view->shape)));
    return values;
  }

  void add(std::size_t index) {
    const std::string name = name_of("pixels", index);
    const TensorView* pixels = file.find(name);
    if (!pixels || pixels->dtype != DType::u8 || pixels->shape.size() != 3 || pixels->shape[2] != 3 ||
        pixels->shape[0] < 1 || pixels->shape[1] < 1 || pixels->shape[0] > 1 << 15 ||
        pixels->shape[1] > 1 << 15)
      throw Error(ErrorCode::bad_data, path + ": tensor '" + name + "': expected [H, W, 3] U8");
    Scene scene;
    scene.pixels = {pixels->bytes.data(), static_cast<int>(pixels->shape[1]),
                    static_cast<int>(pixels->shape[0]), 3 * static_cast<std::ptrdiff_t>(pixels->shape[1]),
                    PixelFormat::bgr8};
    const auto landmarks = floats(name_of("landmarks", index), 2 * kLandmarks);
    for (std::size_t i = 0; i < landmarks.size(); i += 2) {
      if (i % (2 * kLandmarks) == 0) scene.landmarks.emplace_back();
      scene.landmarks.back().push_back({landmarks[i], landmarks[i + 1]});
    }
    scene.boxes = boxes(name_of("boxes", index));
    scene.ignored = boxes(name_of("ignored", index));
    scene.negatives = boxes(name_of("negatives", index));
    scenes.push_back(std::move(scene));
  }

  std::vector<Box> boxes(const std::string& name) const {
    std::vector<Box> found;
    const auto values = floats(name, 4);
    for (std::size_t i = 0; i < values.size(); i += 4)
      found.push_back({values[i], values[i + 1], values[i + 2], values[i + 3]});
    return found;
  }
};

SceneDataset SceneDataset::open(const std::string& path) {
  auto content = std::make_shared<Content>(path);
  const auto found = content->file.metadata().find(kScenes);
  const auto count = found == content->file.metadata().end() ? std::nullopt : base::parse_int(found->second);
  if (!count || *count < 1)
    throw Error(ErrorCode::bad_data,
                base::concat(path, ": metadata ", kScenes, ": expected the number of pictures, found ",
                             found == content->file.metadata().end() ? "none" : found->second,
                             ": not a file of spiga pack --scenes"));
  for (std::size_t i = 0; i < static_cast<std::size_t>(*count); ++i) content->add(i);
  SceneDataset dataset;
  dataset.content_ = std::move(content);
  return dataset;
}

std::int64_t SceneDataset::size() const { return static_cast<std::int64_t>(content_->scenes.size()); }
Scene SceneDataset::scene(std::int64_t index) const {
  return content_->scenes.at(static_cast<std::size_t>(index));
}
const std::string& SceneDataset::path() const { return content_->path; }

Box face_box(const std::vector<Point>& landmarks) {
  std::vector<Point> known;
  std::ranges::copy_if(landmarks, std::back_inserter(known), is_known);
  return geometry::tight_box(known);
}

ScenePackResult pack_scenes(const ScenePackOptions& options, const fs::path& output) {
  Faces found;
  SceneWriter writer(options);
  fs::path current;
  try {
    for (const fs::path& path : options.ignored) read_found(current = path, found);
    for (const fs::path& path : options.annotations) add_annotations(current = path, found, options, writer);
  } catch (const json::exception& error) {
    throw Error(ErrorCode::bad_data, current.string() + ": " + base::printable(error.what(), 300));
  }
  return writer.write(output);
}

}  // namespace spiga::train
