// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <unordered_map>

#include "annotations/forms.h"
#include "base/file.h"
#include "base/text.h"

// Plain CSV with a header line, one face a line, columns in any order, unknown ones ignored:
//   image                                         the picture
//   x_K, y_K [, visible_K, uncertainty_K]              landmarks: K is the place in the database's order,
//   from 0,
//                                                 where there is an x_0, else the landmark's id
//   box_x, box_y, box_width, box_height           optional
//   yaw_deg, pitch_deg, roll_deg [, tx, ty, tz]   optional
// Some columns go by other names, too (kAliases): what `spiga analyze --csv` writes can be read.
// An empty cell is a value that is not there. Fields may be quoted.
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

Cells split_cells(const std::string& where, std::string_view line) {
  Cells cells;
  std::string cell;
  bool quoted = false;      // inside quotes
  bool was_quoted = false;  // blanks around quotes and around bare text do not count
  const auto end_cell = [&] {
    cells.emplace_back(was_quoted ? std::string_view(cell) : base::trim(cell));
    cell.clear();
    was_quoted = false;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cell.push_back(line[++i]);
    } else if (c == '"') {
      if (!quoted) cell.clear();
      quoted = !quoted;
      was_quoted = true;
    } else if (c == ',' && !quoted) {
      end_cell();
    } else if (quoted || !was_quoted) {
      cell.push_back(c);
    }
  }
  if (quoted) fail(where, "a quoted field has no end");
  end_cell();
  return cells;
}

class CsvReader {
 public:
  CsvReader(const std::string& where, const Cells& header, std::span<const int> database_ids) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (!columns_.emplace(header[i], i).second) fail(where, "column '" + header[i] + "' is there twice");
    }
    width_ = header.size();
    for (const Alias& alias : kAliases) {
      const auto found = columns_.find(std::string(alias.other));
      if (found != columns_.end()) columns_.emplace(alias.name, found->second);
    }
    if (!columns_.contains("image")) fail(where, "expected a column 'image', found none");
    find_landmarks(where, header, database_ids);
  }

  AnnotatedFace face(const std::string& where, const Cells& cells) const {
    if (cells.size() != width_) {
      fail(where, "expected " + std::to_string(width_) + " columns, found " + std::to_string(cells.size()));
    }
    AnnotatedFace face;
    face.image = cells[columns_.at("image")];
    const std::string place = where + " (" + face.image + ")";
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

  void find_landmarks(const std::string& where, const Cells& header, std::span<const int> database_ids) {
    const bool by_place = columns_.contains("x_0");
    for (const std::string& name : header) {
      if (!name.starts_with("x_")) continue;
      const std::optional<long long> number = base::parse_int(std::string_view(name).substr(2));
      if (!number) continue;
      if (!columns_.contains("y_" + name.substr(2)))
        fail(where, "column '" + name + "' has no 'y_" + name.substr(2) + "'");
      if (by_place && (*number < 0 || *number >= std::ssize(database_ids))) {
        fail(where,
             "column '" + name + "': the database has " + std::to_string(database_ids.size()) + " landmarks");
      }
      landmarks_.push_back(
          {by_place ? database_ids[static_cast<std::size_t>(*number)] : static_cast<int>(*number),
           name.substr(2)});
    }
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
    if (const auto uncertainty = value(where, cells, "uncertainty_" + landmark.suffix))
      face.uncertainty.push_back(*uncertainty);
  }

  std::unordered_map<std::string, std::size_t> columns_;
  std::size_t width_ = 0;
  std::vector<Landmark> landmarks_;
};

}  // namespace

void read_csv(const std::filesystem::path& path, const ReadOptions& options, FaceCollector& faces) {
  const std::string text = base::read_file(path);
  const std::vector<std::string_view> lines = split_lines(text);
  const std::string first = path.string() + ": line 1";
  if (base::trim(text).empty()) fail(first, "expected a header, found an empty file");
  const CsvReader reader(first, split_cells(first, lines[0]), options.database_ids);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (base::trim(lines[i]).empty()) continue;
    const std::string where = path.string() + ": line " + std::to_string(i + 1);
    faces.add(where, [&] { return reader.face(where, split_cells(where, lines[i])); });
  }
}

}  // namespace spiga::annotations
