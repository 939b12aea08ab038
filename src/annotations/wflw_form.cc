// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
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

AnnotatedFace parse_line(const std::string& where, std::string_view line, const ReadOptions& options) {
  const std::vector<std::string_view> words = base::split_words(line);
  const std::size_t points = options.database_ids.size();
  const std::size_t plain = 2 * points + 1;
  const std::size_t full = plain + kBoxWords + kAttributeWords;
  if (words.size() != plain && words.size() != full) {
    fail(where, "expected " + std::to_string(plain) + " or " + std::to_string(full) + " columns for " +
                    std::to_string(points) + " landmarks, found " + std::to_string(words.size()));
  }
  const std::vector<double> n = leading_numbers(where, words);
  AnnotatedFace face;
  face.image = std::string(words.back());
  face.ids.assign(options.database_ids.begin(), options.database_ids.end());
  for (std::size_t i = 0; i < points; ++i) face.landmarks.push_back({n[2 * i], n[2 * i + 1]});
  if (words.size() == full) {
    const double* box = n.data() + 2 * points;
    face.box = Rect{box[0], box[1], box[2] - box[0], box[3] - box[1]};
  }
  return face;
}

void note_attributes(std::string_view line, std::size_t points, FaceList& list) {
  const std::vector<std::string_view> words = base::split_words(line);
  const std::size_t first = 2 * points + kBoxWords;
  if (words.size() != first + kAttributeWords + 1) return;
  for (std::size_t a = 0; a < kAttributeWords; ++a) {
    if (words[first + a] != "0") list.subsets[kAttributes[a]].push_back(list.faces.size() - 1);
  }
}

}  // namespace

void read_wflw_list(const std::filesystem::path& path, const ReadOptions& options, FaceList& list,
                    FaceCollector& faces) {
  const std::string text = base::read_file(path);
  const std::vector<std::string_view> lines = split_lines(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (base::split_words(lines[i]).empty()) continue;
    const std::string where = path.string() + ": line " + std::to_string(i + 1);
    if (faces.add(where, [&] { return parse_line(where, lines[i], options); })) {
      note_attributes(lines[i], options.database_ids.size(), list);
    }
  }
}

}  // namespace spiga::annotations
