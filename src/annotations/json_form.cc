// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "annotations/forms.h"
#include "base/file.h"
#include "base/text.h"

// read_json_lines: what `spiga analyze` prints (docs/cli.md, docs/video.md).
//
// The published SPIGA form: a list of {"imgpath", "bbox": [x, y, w, h], "headpose": null or [yaw, pitch,
// roll, tx, ty, tz], "ids": [n], "landmarks": [[x, y] x n], "visible": [n]}, and of our own "uncertainty":
// [n], which files of version 0.1 call "spread". Other keys are ignored.
namespace spiga::annotations {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What "uncertainty" was called up to version 0.1; read for good, written beside the new name in 0.2.
constexpr const char* kOldUncertainty = "spread";

// nlohmann's "[json.exception.parse_error.101] parse error at line 3, column 5: ..." from "line" on.
std::string without_prefix(const std::string& what) {
  const std::size_t start = what.find("line ");
  return start == std::string::npos ? what : what.substr(start);
}

// Python's json writes NaN and Infinity, which JSON does not have. They become null outside of texts, so that
// only the records they stand in are refused.
std::string without_nan(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_text = false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = in_text && text[i] == '\\' ? 2 : 1;
    std::string_view written = text.substr(i, length);
    if (text[i] == '"') in_text = !in_text;
    for (const std::string_view word : {"NaN", "-Infinity", "Infinity"}) {
      if (in_text || !text.substr(i).starts_with(word)) continue;
      length = word.size();
      written = "null";
    }
    result += written;
    i += length;
  }
  return result;
}

json parse_file(const fs::path& path) {
  const std::string text = without_nan(base::read_file(path));
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    fail(path.string(), "malformed JSON at " + without_prefix(error.what()));
  } catch (const json::out_of_range& error) {
    fail(path.string(), base::concat("malformed JSON: ", error.what()));
  }
}

std::string kind_of(const json& value) {
  constexpr std::size_t kLongest = 40;
  if (value.is_structured()) return value.type_name();
  return base::printable(value.dump(-1, ' ', false, json::error_handler_t::replace), kLongest);
}

double number(const std::string& where, const char* field, const json& value) {
  if (!value.is_number()) fail(where, std::string(field) + ": expected a number, found " + kind_of(value));
  return value.get<double>();
}

const json* list_at(const std::string& where, const json& record, const char* field) {
  const auto found = record.find(field);
  if (found == record.end() || found->is_null()) return nullptr;
  if (!found->is_array()) fail(where, std::string(field) + ": expected a list, found " + kind_of(*found));
  return &*found;
}

std::vector<double> numbers_at(const std::string& where, const json& record, const char* field) {
  std::vector<double> values;
  if (const json* list = list_at(where, record, field)) {
    values.reserve(list->size());
    for (const json& value : *list) values.push_back(number(where, field, value));
  }
  return values;
}

std::vector<int> ids_at(const std::string& where, const json& record) {
  std::vector<int> ids;
  if (const json* list = list_at(where, record, "ids")) {
    for (const json& value : *list) {
      if (!value.is_number_integer()) fail(where, "ids: expected a whole number, found " + kind_of(value));
      const auto id = value.get<long long>();
      if (id != static_cast<int>(id)) fail(where, base::concat("ids: the database has no landmark ", id));
      ids.push_back(static_cast<int>(id));
    }
  }
  return ids;
}

std::vector<Coordinate> landmarks_at(const std::string& where, const json& record) {
  std::vector<Coordinate> landmarks;
  const json* list = list_at(where, record, "landmarks");
  if (!list) return landmarks;
  landmarks.reserve(list->size());
  for (const json& pair : *list) {
    if (!pair.is_array() || pair.size() != 2) {
      fail(where,
           "landmarks[" + std::to_string(landmarks.size()) + "]: expected [x, y], found " + kind_of(pair));
    }
    landmarks.push_back({number(where, "landmarks", pair[0]), number(where, "landmarks", pair[1])});
  }
  return landmarks;
}

std::optional<Rect> box_at(const std::string& where, const json& record) {
  const char* name = record.contains("bbox") ? "bbox" : "box";
  const std::vector<double> b = numbers_at(where, record, name);
  if (b.empty()) return std::nullopt;
  if (b.size() != 4)
    fail(where, std::string(name) + ": expected [x, y, width, height], found " + std::to_string(b.size()) +
                    " values");
  return Rect{b[0], b[1], b[2], b[3]};
}

std::optional<Pose> pose_at(const std::string& where, const json& record) {
  const std::vector<double> p = numbers_at(where, record, "headpose");
  if (p.empty()) return std::nullopt;
  if (p.size() == 3) return Pose{{p[0], p[1], p[2]}, {}};
  if (p.size() == 6) return Pose{{p[0], p[1], p[2]}, {p[3], p[4], p[5]}};
  fail(where,
       "headpose: expected [yaw, pitch, roll, tx, ty, tz], found " + std::to_string(p.size()) + " values");
}

AnnotatedFace parse_face(const std::string& where, const json& record) {
  if (!record.is_object()) fail(where, "expected an object, found " + kind_of(record));
  const auto image = record.find("imgpath");
  if (image == record.end()) fail(where, "imgpath is missing");
  if (!image->is_string()) fail(where, "imgpath: expected text, found " + kind_of(*image));
  AnnotatedFace face;
  face.image = image->get<std::string>();
  const std::string place = where + " (" + base::printable(face.image) + ")";
  face.box = box_at(place, record);
  face.headpose = pose_at(place, record);
  face.ids = ids_at(place, record);
  face.landmarks = landmarks_at(place, record);
  face.visible = numbers_at(place, record, "visible");
  face.uncertainty =
      numbers_at(place, record, record.contains("uncertainty") ? "uncertainty" : kOldUncertainty);
  return face;
}

// What `spiga analyze` says of one face; `ids`: the database's, by place.
AnnotatedFace parse_found_face(const std::string& where, const json& record, const FaceCollector& faces) {
  if (!record.is_object()) fail(where, "expected an object, found " + kind_of(record));
  AnnotatedFace face;
  face.box = box_at(where, record);
  face.landmarks = landmarks_at(where, record);
  const std::span<const int> ids = faces.ids_for(where, face.landmarks.size());
  face.ids.assign(ids.begin(), ids.end());
  face.uncertainty =
      numbers_at(where, record, record.contains("uncertainty") ? "uncertainty" : kOldUncertainty);
  const auto pose = record.find("headpose");
  if (pose == record.end() || pose->is_null()) return face;
  if (!pose->is_object()) fail(where, "headpose: expected an object, found " + kind_of(*pose));
  const auto angle = [&](const char* name) {
    const auto found = pose->find(name);
    if (found == pose->end()) fail(where, std::string("headpose: ") + name + " is missing");
    return number(where, name, *found);
  };
  face.headpose = Pose{{angle("yaw_deg"), angle("pitch_deg"), angle("roll_deg")}, {}};
  const std::vector<double> t = numbers_at(where, *pose, "translation");
  if (t.size() == 3) face.headpose->translation = {t[0], t[1], t[2]};
  return face;
}

// The picture or frame that a line is about.
std::string picture_of(const std::string& where, const json& line) {
  const auto source = line.find("source");
  if (source != line.end() && source->is_string()) return source->get<std::string>();
  const auto frame = line.find("frame");
  if (frame == line.end()) fail(where, "expected a field source or frame, found neither");
  if (!frame->is_number_integer()) fail(where, "frame: expected a whole number, found " + kind_of(*frame));
  return frame_name(frame->get<long long>());
}

json to_json(const AnnotatedFace& face) {
  json record = {{"imgpath", face.image},
                 {"bbox", nullptr},
                 {"headpose", nullptr},
                 {"ids", face.ids},
                 {"visible", face.visible}};
  if (face.box) record["bbox"] = {face.box->x, face.box->y, face.box->width, face.box->height};
  if (face.headpose) {
    const auto& [angles, translation] = *face.headpose;
    record["headpose"] = {angles[0], angles[1], angles[2], translation[0], translation[1], translation[2]};
  }
  json& landmarks = record["landmarks"] = json::array();
  for (const Coordinate& point : face.landmarks) landmarks.push_back({point.x, point.y});
  if (!face.uncertainty.empty()) record["uncertainty"] = record[kOldUncertainty] = face.uncertainty;
  return record;
}

struct Line {
  std::string picture;
  json faces;
};

Line parse_line(const std::string& where, std::string_view text) {
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) fail(where, "expected a JSON object, found '" + base::printable(text, 40) + "'");
  const json* list = list_at(where, line, "faces");
  if (!list) fail(where, "faces is missing");
  return {picture_of(where, line), *list};
}

}  // namespace

void read_json(const fs::path& path, FaceCollector& faces) {
  const json list = parse_file(path);
  if (!list.is_array()) fail(path.string(), "expected a list of faces, found " + kind_of(list));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = path.string() + ": face " + std::to_string(i);
    faces.add(where, [&] { return parse_face(where, list[i]); });
  }
}

// A line a picture or frame; one without faces is a face that was missed.
void read_json_lines(const fs::path& path, FaceCollector& faces) {
  const std::string text = base::read_file(path);
  const std::vector<std::string_view> lines = split_lines(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (base::trim(lines[i]).empty()) continue;
    const std::string where = base::concat(path.string(), ": line ", i + 1);
    Line line;
    try {
      line = parse_line(where, lines[i]);
    } catch (const Error& error) {
      faces.add(where, [&error]() -> AnnotatedFace { throw error; });
      continue;
    }
    if (line.faces.empty()) faces.add(where, [&] { return AnnotatedFace{.image = line.picture}; });
    for (const json& record : line.faces)
      faces.add(where, [&] {
        AnnotatedFace face = parse_found_face(where, record, faces);
        face.image = line.picture;
        return face;
      });
  }
}

void write_json(const fs::path& path, std::span<const AnnotatedFace> faces) {
  json list = json::array();
  for (const AnnotatedFace& face : faces) list.push_back(to_json(face));
  base::write_file(path, list.dump() + '\n');
}

}  // namespace spiga::annotations
