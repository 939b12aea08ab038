// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "annotations/forms.h"
#include "base/file.h"
#include "base/text.h"

// WFLW's text lists, one face a line: x and y of every landmark in the database's order; in the lists with
// "rect_attr" in their name also x_min y_min x_max y_max of the box and six 0/1 attributes; then the
// picture's path.
namespace spiga::annotations {
namespace {

constexpr const char* kAttributes[] = {"pose", "expression", "illumination", "makeup", "occlusion", "blur"};
constexpr std::size_t kBoxWords = 4;
constexpr std::size_t kAttributeWords = std::size(kAttributes);

std::vector<double> leading_numbers(const std::string& where, const std::vector<std::string_view>& words) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    numbers.push_back(parse_number(where, "column " + std::to_string(i + 1), words[i]));
  }
  return numbers;
}

// How a line is laid out: the landmarks' ids, and whether box and attributes stand behind the coordinates.
struct Layout {
  std::span<const int> ids;
  bool full = false;

  std::size_t columns() const { return 2 * ids.size() + 1 + (full ? kBoxWords + kAttributeWords : 0); }
};

Layout layout_of(const std::string& where, std::size_t columns, const FaceCollector& faces) {
  std::vector<std::string> expected;
  for (const std::span<const int> ids : faces.databases()) {
    for (const bool full : {false, true}) {
      const Layout layout{ids, full};
      if (layout.columns() == columns) return layout;
      const std::string number = std::to_string(layout.columns());
      if (std::ranges::find(expected, number) == expected.end()) expected.push_back(number);
    }
  }
  fail(where, base::concat("expected ", base::join(expected, " or "), " columns for ",
                           faces.landmark_counts(), " landmarks, found ", columns));
}

AnnotatedFace parse_line(const std::string& where, const std::vector<std::string_view>& words,
                         const Layout& layout) {
  const std::vector<double> n = leading_numbers(where, words);
  const std::size_t points = layout.ids.size();
  AnnotatedFace face;
  face.image = std::string(words.back());
  face.ids.assign(layout.ids.begin(), layout.ids.end());
  for (std::size_t i = 0; i < points; ++i) face.landmarks.push_back({n[2 * i], n[2 * i + 1]});
  if (layout.full) {
    const double* box = n.data() + 2 * points;
    face.box = Rect{box[0], box[1], box[2] - box[0], box[3] - box[1]};
  }
  return face;
}

void note_attributes(const std::vector<std::string_view>& words, const Layout& layout, FaceList& list) {
  if (!layout.full) return;
  const std::size_t first = 2 * layout.ids.size() + kBoxWords;
  for (std::size_t a = 0; a < kAttributeWords; ++a) {
    if (words[first + a] != "0") list.subsets[kAttributes[a]].push_back(list.faces.size() - 1);
  }
}

}  // namespace

void read_wflw_list(const std::filesystem::path& path, FaceList& list, FaceCollector& faces) {
  const std::string text = base::read_file(path);
  const std::vector<std::string_view> lines = split_lines(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string_view> words = base::split_words(lines[i]);
    if (words.empty()) continue;
    const std::string where = path.string() + ": line " + std::to_string(i + 1);
    Layout layout;
    const bool kept = faces.add(where, [&] {
      layout = layout_of(where, words.size(), faces);
      return parse_line(where, words, layout);
    });
    if (kept) note_attributes(words, layout, list);
  }
}

}  // namespace spiga::annotations
