// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <unordered_map>

#include "annotations/forms.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/text.h"

// CSV (RFC 4180) with a header line, one face a row, columns in any order, unknown ones ignored:
//   image, or frame                               the picture, or the number of a video's frame
//   success                                       optional; 0: no face there
//   x_K, y_K [, visible_K, uncertainty_K]         landmarks: K is the place in the database's order, from 0,
//                                                 where there is an x_0, else the landmark's id
//   box_x, box_y, box_width, box_height           optional
//   yaw_deg, pitch_deg, roll_deg [, tx, ty, tz]   optional
// Some columns go by other names, too (kAliases): what `spiga analyze --csv` writes can be read. spread_K is
// what uncertainty_K was called up to version 0.1. An empty cell is a value that is not there.
namespace spiga::annotations {
namespace {

using Cells = std::vector<std::string>;

struct Alias {
  std::string_view other;
  const char* name;
};
constexpr Alias kAliases[] = {{"imgpath", "image"},
                              {"source", "image"},
                              {"file", "image"},
                              {"box_w", "box_width"},
                              {"box_h", "box_height"},
                              {"pose_yaw_deg", "yaw_deg"},
                              {"pose_pitch_deg", "pitch_deg"},
                              {"pose_roll_deg", "roll_deg"},
                              {"pose_tx", "tx"},
                              {"pose_ty", "ty"},
                              {"pose_tz", "tz"}};

class FaceTable {
 public:
  FaceTable(const std::string& where, const Cells& header, const FaceCollector& faces,
            const std::filesystem::path& file) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (!columns_.emplace(header[i], i).second)
        fail(where, "column '" + base::printable(header[i]) + "' is there twice");
    }
    width_ = header.size();
    for (const Alias& alias : kAliases) {
      const auto found = columns_.find(std::string(alias.other));
      if (found != columns_.end()) columns_.emplace(alias.name, found->second);
    }
    find_pictures(where, file);
    find_landmarks(where, header, faces);
    uncertainty_ = has_column_of("uncertainty_", header) ? "uncertainty_" : "spread_";
  }

  AnnotatedFace face(const std::string& where, const Cells& cells) const {
    if (cells.size() != width_) {
      fail(where, "expected " + std::to_string(width_) + " columns, found " + std::to_string(cells.size()));
    }
    AnnotatedFace face;
    face.image = picture_of(where, cells);
    const std::string place = where + " (" + base::printable(face.image) + ")";
    const auto success = columns_.find("success");
    if (success != columns_.end() && cells[success->second] == "0") return face;  // lost, or no face
    for (const Landmark& landmark : landmarks_) add_landmark(place, cells, landmark, face);
    if (const auto b = group(place, cells, {"box_x", "box_y", "box_width", "box_height"})) {
      face.box = Rect{(*b)[0], (*b)[1], (*b)[2], (*b)[3]};
    }
    if (const auto a = group(place, cells, {"yaw_deg", "pitch_deg", "roll_deg"})) {
      face.headpose = Pose{{(*a)[0], (*a)[1], (*a)[2]}, {}};
      if (const auto t = group(place, cells, {"tx", "ty", "tz"}))
        face.headpose->translation = {(*t)[0], (*t)[1], (*t)[2]};
    }
    return face;
  }

 private:
  struct Landmark {
    int id;
    std::string suffix;
  };

  // Tables of videos have frames: ours from 0, OpenFace's from 1. OpenFace's table of a picture does not name
  // it: it is the file's name without .csv.
  void find_pictures(const std::string& where, const std::filesystem::path& file) {
    openface_ = columns_.contains("pose_Tx") && !columns_.contains("box_x");
    if (columns_.contains("image") || columns_.contains("frame")) return;
    if (!openface_ || !columns_.contains("face")) fail(where, "expected a column 'image', found none");
    picture_ = file.stem().string();
  }

  std::string picture_of(const std::string& where, const Cells& cells) const {
    const auto image = columns_.find("image");
    if (image != columns_.end()) return cells[image->second];
    if (!picture_.empty()) return picture_;
    const std::string& text = cells[columns_.at("frame")];
    const auto number = base::parse_int(text);
    if (!number) fail(where, "frame: expected a whole number, found '" + base::printable(text) + "'");
    return frame_name(*number - (openface_ ? 1 : 0));
  }

  void find_landmarks(const std::string& where, const Cells& header, const FaceCollector& faces) {
    const bool by_place = columns_.contains("x_0");
    std::vector<long long> numbers;
    for (const std::string& name : header) {
      if (!name.starts_with("x_")) continue;
      const std::optional<long long> number = base::parse_int(std::string_view(name).substr(2));
      if (!number) continue;
      if (!columns_.contains("y_" + name.substr(2)))
        fail(where, "column '" + name + "' has no 'y_" + name.substr(2) + "'");
      numbers.push_back(*number);
      landmarks_.push_back({0, name.substr(2)});
    }
    if (numbers.empty()) return;
    const long long last = *std::ranges::max_element(numbers);
    const std::span<const int> ids = by_place ? ids_up_to(where, last, faces) : std::span<const int>();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] < 0 || numbers[i] != static_cast<int>(numbers[i]))
        fail(where, base::concat("column 'x_", numbers[i], "': the database has no such landmark"));
      landmarks_[i].id = by_place ? ids[static_cast<std::size_t>(numbers[i])] : static_cast<int>(numbers[i]);
    }
  }

  // Of the smallest database that has a landmark in this place.
  static std::span<const int> ids_up_to(const std::string& where, long long last,
                                        const FaceCollector& faces) {
    std::span<const int> best;
    for (const std::span<const int> ids : faces.databases())
      if (last < std::ssize(ids) && (best.empty() || ids.size() < best.size())) best = ids;
    if (best.empty())
      fail(where,
           base::concat("column 'x_", last, "': the database has ", faces.landmark_counts(), " landmarks"));
    return best;
  }

  static bool has_column_of(std::string_view stem, const Cells& header) {
    return std::ranges::any_of(header, [&](const std::string& name) { return name.starts_with(stem); });
  }

  std::optional<double> value(const std::string& where, const Cells& cells, const std::string& column) const {
    const auto found = columns_.find(column);
    if (found == columns_.end() || cells[found->second].empty()) return std::nullopt;
    return parse_number(where, column, cells[found->second]);
  }

  // All of these columns, none of them, or an error.
  std::optional<std::vector<double>> group(const std::string& where, const Cells& cells,
                                           std::initializer_list<const char*> columns) const {
    std::vector<double> values;
    for (const char* column : columns) {
      if (const auto number = value(where, cells, column)) values.push_back(*number);
    }
    if (values.empty()) return std::nullopt;
    if (values.size() != columns.size()) {
      fail(where, std::string("'") + *columns.begin() + "' and its companions: expected all of " +
                      std::to_string(columns.size()) + " or none, found " + std::to_string(values.size()));
    }
    return values;
  }

  void add_landmark(const std::string& where, const Cells& cells, const Landmark& landmark,
                    AnnotatedFace& face) const {
    const auto x = value(where, cells, "x_" + landmark.suffix);
    const auto y = value(where, cells, "y_" + landmark.suffix);
    if (!x && !y) return;
    if (!x || !y) fail(where, "landmark " + landmark.suffix + ": expected x and y, found one of them");
    face.ids.push_back(landmark.id);
    face.landmarks.push_back({*x, *y});
    face.visible.push_back(value(where, cells, "visible_" + landmark.suffix).value_or(1.0));
    if (const auto uncertainty = value(where, cells, uncertainty_ + landmark.suffix))
      face.uncertainty.push_back(*uncertainty);
  }

  std::unordered_map<std::string, std::size_t> columns_;
  std::size_t width_ = 0;
  bool openface_ = false;
  std::string picture_;  // of a table of one picture
  std::vector<Landmark> landmarks_;
  std::string uncertainty_;  // how the columns of the uncertainty begin
};

}  // namespace

void read_csv(const std::filesystem::path& path, FaceCollector& faces) {
  const std::string text = base::read_file(path);
  base::CsvReader rows(text);
  const auto place = [&path](std::size_t line) { return base::concat(path.string(), ": line ", line); };
  const std::optional<base::CsvRow> header = rows.next();
  if (!header) fail(place(1), "expected a header, found an empty file");
  if (!header->problem.empty()) fail(place(header->line), header->problem);
  const FaceTable table(place(header->line), header->cells, faces, path);
  while (const std::optional<base::CsvRow> row = rows.next()) {
    const std::string where = place(row->line);
    faces.add(where, [&] {
      if (!row->problem.empty()) fail(where, row->problem);
      return table.face(where, row->cells);
    });
  }
}

}  // namespace spiga::annotations
