// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "annotations/forms.h"
#include "base/file.h"
#include "base/text.h"

// A folder of .pts files, one per face, subfolders included, in the order of their paths; the picture lies
// beside under the same name. The file: "version: 1", "n_points: 68", "{", one "x y" per line in the
// database's order, "}".
namespace spiga::annotations {
namespace {

namespace fs = std::filesystem;

// The public and private 300-W sets name their parts by folder; "common" is LFPW and HELEN together.
struct FolderSubset {
  std::string_view in_folder;
  const char* subset;
};
constexpr FolderSubset kFolderSubsets[] = {{"helen", "helen"},    {"lfpw", "lfpw"}, {"helen", "common"},
                                           {"lfpw", "common"},    {"ibug", "ibug"}, {"indoor", "indoor"},
                                           {"outdoor", "outdoor"}};

// Relative to the folder; without extension where no picture lies beside.
std::string picture_of(const fs::path& folder, const fs::path& pts) {
  for (const char* extension : {".jpg", ".png", ".jpeg", ".bmp", ".JPG", ".PNG"}) {
    fs::path picture = pts;
    if (base::exists(picture.replace_extension(extension)))
      return picture.lexically_relative(folder).generic_string();
  }
  fs::path stem = pts;
  return stem.replace_extension().lexically_relative(folder).generic_string();
}

std::vector<std::string_view> point_words(const std::string& where, const std::string& text) {
  const std::size_t open = text.find('{');
  const std::size_t close = text.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    fail(where, "expected points between { and }, found none");
  }
  std::vector<std::string_view> words;
  for (std::string_view line : split_lines(std::string_view(text).substr(open + 1, close - open - 1))) {
    for (std::string_view word : base::split_words(line)) words.push_back(word);
  }
  return words;
}

AnnotatedFace parse_pts(const std::string& where, const fs::path& folder, const fs::path& file,
                        double first_pixel, const FaceCollector& faces) {
  const std::string text = base::read_file(file);
  const std::vector<std::string_view> words = point_words(where, text);
  const std::size_t points = words.size() / 2;
  if (words.size() % 2 != 0) {
    fail(where,
         base::concat("expected ", faces.landmark_counts(), " points, found ", words.size(), " numbers"));
  }
  const std::span<const int> ids = faces.ids_for(where, points);
  AnnotatedFace face;
  face.image = picture_of(folder, file);
  face.ids.assign(ids.begin(), ids.end());
  for (std::size_t i = 0; i < points; ++i) {
    face.landmarks.push_back({parse_number(where, "x", words[2 * i]) - first_pixel,
                              parse_number(where, "y", words[2 * i + 1]) - first_pixel});
  }
  return face;
}

void note_folders(const fs::path& file, FaceList& list) {
  std::string folder = file.parent_path().string();
  std::transform(folder.begin(), folder.end(), folder.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const FolderSubset& rule : kFolderSubsets) {
    if (folder.find(rule.in_folder) != std::string::npos)
      list.subsets[rule.subset].push_back(list.faces.size() - 1);
  }
}

}  // namespace

void read_pts_folder(const fs::path& folder, const ReadOptions& options, FaceList& list,
                     FaceCollector& faces) {
  const std::vector<fs::path> files = base::files_below(folder, ".pts");
  if (files.empty()) fail(folder.string(), "expected .pts files in the folder, found none");
  for (const fs::path& file : files) {
    const std::string where = file.string();
    if (faces.add(where, [&] { return parse_pts(where, folder, file, options.pts_first_pixel, faces); })) {
      note_folders(file.lexically_relative(folder), list);
    }
  }
}

}  // namespace spiga::annotations
