// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "base/csv.h"
#include "fuzz/support.h"
#include "support/temporary_folder.h"

namespace spiga::fuzz {
namespace {

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A memory file under a name that ends as a reader wants it; for a folder, inside one.
class NamedFile {
 public:
  explicit NamedFile(const char* name) : path_(folder_.path() / name) {
    std::filesystem::create_symlink(file_.path(), path_);
  }
  const std::filesystem::path& fill(Bytes bytes) {
    file_.fill(bytes);
    return path_;
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  MemoryFile file_;
  testing::TemporaryFolder folder_;
  std::filesystem::path path_;
};

// Reads twice: refusing the file with its first bad record, and leaving bad ones out.
void read_faces(const std::filesystem::path& path) {
  static const std::vector<int> ids = {1, 2, 3};
  static const std::vector<int> two = {7, 8};
  static const std::vector<std::span<const int>> databases = {ids, two};
  const auto check = [](const annotations::FaceList& list) {
    for (const annotations::AnnotatedFace& face : list.faces) {
      require(!face.image.empty() && face.landmarks.size() == face.ids.size() &&
              face.visible.size() == face.ids.size());
      require(face.uncertainty.empty() || face.uncertainty.size() == face.ids.size());
      for (const annotations::Coordinate& point : face.landmarks)
        require(std::isfinite(point.x) && std::isfinite(point.y));
      if (face.box) require(face.box->width > 0 && face.box->height > 0);
    }
    for (const auto& [name, members] : list.subsets)
      for (const std::size_t member : members) require(member < list.faces.size());
  };
  expect_error_or_success([&] { check(annotations::read(path, {.database_ids = ids})); });
  std::size_t told = 0;
  expect_error_or_success([&] {
    const annotations::FaceList list =
        annotations::read(path, {.any_of = databases, .on_bad_record = [&told](const std::string& message) {
                                   require(message.find('\n') == std::string::npos);
                                   ++told;
                                 }});
    require(list.skipped == told);
    check(list);
  });
}

}  // namespace

void fuzz_csv(Bytes bytes) {
  base::CsvReader reader(text_of(bytes));
  std::size_t line = 0;
  std::string again;
  std::vector<std::vector<std::string>> rows;
  while (const std::optional<base::CsvRow> row = reader.next()) {
    require(row->line > line);
    require(row->cells.empty() == !row->problem.empty());
    line = row->line;
    if (row->cells.empty() || (row->cells.size() == 1 && row->cells[0].empty())) continue;
    rows.push_back(row->cells);
    for (const std::string& cell : row->cells) {
      if (&cell != &row->cells.front()) again += ',';
      base::append_csv_cell(again, cell);
    }
    again += '\n';
  }
  // What was read can be written and read again.
  if (again.starts_with("\xEF\xBB\xBF")) return;
  base::CsvReader second(again);
  for (const std::vector<std::string>& cells : rows) {
    const std::optional<base::CsvRow> row = second.next();
    require(row && row->cells == cells);
  }
  require(!second.next());
}

void fuzz_table(Bytes bytes) {
  static NamedFile file("faces.csv");
  read_faces(file.fill(bytes));
}

void fuzz_wflw(Bytes bytes) {
  static NamedFile file("list.txt");
  read_faces(file.fill(bytes));
}

void fuzz_pts(Bytes bytes) {
  static NamedFile file("face.pts");
  file.fill(bytes);
  read_faces(file.folder());
}

}  // namespace spiga::fuzz
