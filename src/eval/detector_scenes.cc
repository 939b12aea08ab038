// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/detector_scenes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "eval/head_pose_scores.h"
#include "geometry/boxes.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

using base::concat;
using nlohmann::json;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::bad_data, concat(where, ": ", what));
}

float finite_number(const std::string& where, const json& value) {
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    fail(where, concat("expected a number, found ", value.dump()));
  return value.get<float>();
}

Box box_from(const std::string& where, const json& value) {
  if (!value.is_array() || value.size() != 4)
    fail(where, concat("expected a box [x, y, width, height], found ", value.dump()));
  return {finite_number(where, value[0]), finite_number(where, value[1]), finite_number(where, value[2]),
          finite_number(where, value[3])};
}

// A box without an area is asked of nobody.
bool is_empty(const Box& box) { return !(box.width > 0 && box.height > 0); }

const json& list_at(const std::string& where, const json& record, const char* key) {
  if (!record.contains(key) || !record[key].is_array()) fail(where, concat("expected a list '", key, "'"));
  return record[key];
}

double yaw_of(const std::vector<Point>& landmarks) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  annotations::AnnotatedFace face;
  face.ids = database.ids;
  for (const Point& p : landmarks) face.landmarks.push_back({p.x, p.y});
  const auto angles = angles_from_landmarks(database, face);
  return angles ? std::abs((*angles)[0]) : std::numeric_limits<double>::quiet_NaN();
}

SceneFace face_of_landmarks(const std::string& where, const json& points) {
  SceneFace face;
  if (!points.is_array()) fail(where, "expected a list of landmarks");
  for (const json& p : points) {
    if (p.is_null()) continue;
    if (!p.is_array() || p.size() != 2) fail(where, concat("expected a landmark [x, y], found ", p.dump()));
    face.landmarks.push_back({finite_number(where, p[0]), finite_number(where, p[1])});
  }
  if (face.landmarks.size() < 2) fail(where, "expected landmarks, found fewer than 2");
  face.box = geometry::tight_box(face.landmarks);
  if (points.size() == 68 && face.landmarks.size() == 68) face.yaw_deg = yaw_of(face.landmarks);
  return face;
}

void read_attributes(const std::string& where, const json& attributes, SceneFace& face) {
  if (!attributes.is_object()) fail(where, concat("expected attributes, found ", attributes.dump()));
  const auto value = [&](const char* key) {
    const auto at = attributes.find(key);
    return at == attributes.end() ? -1 : static_cast<int>(finite_number(where, *at));
  };
  face.blur = value("blur");
  face.occlusion = value("occlusion");
  face.pose = value("pose");
  face.ignored = value("invalid") > 0;
}

Scene boxed_scene(const std::string& where, const json& record) {
  Scene scene;
  const json& boxes = list_at(where, record, "boxes");
  const json* attributes = record.contains("attributes") ? &list_at(where, record, "attributes") : nullptr;
  if (attributes && attributes->size() != boxes.size())
    fail(where, concat("expected attributes of ", boxes.size(), " boxes, found ", attributes->size()));
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    SceneFace face = {.box = box_from(where, boxes[i])};
    if (attributes) read_attributes(where, (*attributes)[i], face);
    face.ignored = face.ignored || is_empty(face.box);
    scene.faces.push_back(std::move(face));
  }
  if (record.contains("ignore"))
    for (const json& box : list_at(where, record, "ignore")) scene.ignored.push_back(box_from(where, box));
  return scene;
}

Scene scene_of_faces(const std::string& where, const json& record) {
  Scene scene;
  for (const json& face : list_at(where, record, "faces")) {
    if (!face.is_object() || !(face.contains("landmarks") || face.contains("box")))
      fail(where, "expected a face with 'landmarks' or 'box'");
    scene.faces.push_back(face.contains("landmarks") ? face_of_landmarks(where, face["landmarks"])
                                                     : SceneFace{.box = box_from(where, face["box"])});
  }
  if (record.contains("ignored"))
    for (const json& box : list_at(where, record, "ignored")) scene.ignored.push_back(box_from(where, box));
  return scene;
}

// A list of faces, several of a picture together.
class FacesByPicture {
 public:
  void add(const std::string& where, const json& record, SceneList& list) {
    const std::string image = record["imgpath"].get<std::string>();
    const auto [at, is_new] = places_.try_emplace(image, list.scenes.size());
    if (is_new) list.scenes.push_back({image, {}, {}});
    SceneFace face;
    if (record.contains("landmarks") && !record["landmarks"].empty())
      face = face_of_landmarks(where, record["landmarks"]);
    else if (record.contains("bbox"))
      face.box = box_from(where, record["bbox"]);
    else
      fail(where, "expected 'boxes', 'faces', 'landmarks' or 'bbox'");
    list.scenes[at->second].faces.push_back(std::move(face));
  }

 private:
  std::map<std::string, std::size_t> places_;
};

SceneList read_json(const std::string& path) {
  SceneList list = {path, {}, false};
  json records;
  try {
    records = json::parse(base::read_file(path));
  } catch (const json::exception& error) {
    fail(path, concat("no JSON: ", error.what()));
  }
  if (!records.is_array()) fail(path, "expected a list of pictures");
  std::size_t boxed = 0;
  FacesByPicture faces;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string where = concat(path, ": record ", i);
    const json& record = records[i];
    if (!record.is_object() || !record.contains("imgpath") || !record["imgpath"].is_string())
      fail(where, "expected 'imgpath', a picture's name");
    boxed += record.contains("boxes");
    if (!record.contains("boxes") && !record.contains("faces")) {
      faces.add(where, record, list);
      continue;
    }
    Scene scene = record.contains("boxes") ? boxed_scene(where, record) : scene_of_faces(where, record);
    scene.image = record["imgpath"].get<std::string>();
    list.scenes.push_back(std::move(scene));
  }
  if (boxed != 0 && boxed != records.size())
    fail(path, concat("expected 'boxes' in all records or in none, found ", boxed, " of ", records.size()));
  list.complete = boxed > 0;
  return list;
}

// Lines with numbers, of which the file says how many there are.
class WiderReader {
 public:
  explicit WiderReader(const std::string& path) : path_(path), lines_(base::read_file(path)) {}

  SceneList read() {
    SceneList list = {path_, {}, true};
    for (std::string name; next(name);) {
      if (name.empty()) continue;
      Scene scene = {name, {}, {}};
      const std::vector<double> count = numbers(1);
      if (count[0] < 0 || count[0] != std::floor(count[0]) || count[0] > 1e6)
        fail(where(), concat("expected the number of faces, found ", count[0]));
      // A picture without faces has one line of zeros.
      for (int i = 0; i < std::max(1, static_cast<int>(count[0])); ++i) {
        const std::vector<double> values = numbers(10);
        if (count[0] == 0) continue;
        SceneFace face = {.box = {static_cast<float>(values[0]), static_cast<float>(values[1]),
                                  static_cast<float>(values[2]), static_cast<float>(values[3])}};
        face.blur = static_cast<int>(values[4]);
        face.occlusion = static_cast<int>(values[8]);
        face.pose = static_cast<int>(values[9]);
        face.ignored = values[7] != 0 || is_empty(face.box);
        scene.faces.push_back(std::move(face));
      }
      list.scenes.push_back(std::move(scene));
    }
    return list;
  }

 private:
  std::string where() const { return concat(path_, ": line ", line_); }
  bool next(std::string& text) {
    if (!std::getline(lines_, text)) return false;
    ++line_;
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.pop_back();
    return true;
  }
  std::vector<double> numbers(std::size_t count) {
    std::string text;
    if (!next(text)) fail(where(), concat("expected ", count, " numbers, found the file's end"));
    std::istringstream stream(text);
    std::vector<double> values;
    for (double value = 0; stream >> value;) values.push_back(value);
    if (!stream.eof() || values.size() != count ||
        !std::ranges::all_of(values, [](double v) { return std::isfinite(v); }))
      fail(where(), concat("expected ", count, " numbers, found '", text, "'"));
    return values;
  }

  std::string path_;
  std::istringstream lines_;
  std::size_t line_ = 0;
};

}  // namespace

SceneList read_scenes(const std::filesystem::path& path) {
  SceneList list = path.extension() == ".txt" ? WiderReader(path.string()).read() : read_json(path.string());
  if (list.scenes.empty()) fail(path.string(), "expected pictures, found none");
  return list;
}

}  // namespace spiga::eval
