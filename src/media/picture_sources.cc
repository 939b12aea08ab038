// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_sources.h"

#include <algorithm>

namespace spiga::media {

namespace fs = std::filesystem;

namespace {

// Below any folder: "/a/../b/c.png" and "../b/c.png" are "b/c.png".
fs::path below(const fs::path& path) {
  fs::path result;
  for (const fs::path& part : path.lexically_normal().relative_path())
    if (part != ".." && part != ".") result /= part;
  return result;
}

}  // namespace

PictureSources::PictureSources(std::vector<std::string> inputs, Rules rules, std::istream& list)
    : rules_(std::move(rules)), list_(list) {
  for (const std::string& input : inputs) expand(input);
  if (count_) count_ = found_.size();
}

void PictureSources::expand(const std::string& input) {
  std::error_code ignored;
  if (input == "-") {
    found_.push_back({});
    count_.reset();
  } else if (fs::is_directory(input, ignored)) {
    expand_folder(input, {});
  } else {
    found_.push_back({input, fs::path(input).filename(), {}});
  }
}

void PictureSources::expand_folder(const fs::path& folder, const fs::path& relative) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    entries.push_back(*entry);
  if (error)
    found_.push_back(
        {folder.string(), relative, folder.string() + ": cannot read the folder: " + error.message()});
  std::ranges::sort(entries, {}, [](const fs::directory_entry& entry) { return entry.path().filename(); });
  for (const fs::directory_entry& entry : entries) {
    const fs::path name = entry.path().filename();
    std::error_code ignored;
    if (name.string().starts_with('.')) continue;
    if (!entry.is_directory(ignored)) {
      if (rules_.takes(name.string())) found_.push_back({entry.path().string(), relative / name, {}});
    } else if (rules_.recursive && !entry.is_symlink(ignored) &&  // links could lead round in circles
               !is_left_out(entry.path())) {
      expand_folder(entry.path(), relative / name);
    }
  }
}

bool PictureSources::is_left_out(const fs::path& folder) const {
  std::error_code ignored;
  return !rules_.left_out.empty() && fs::equivalent(folder, rules_.left_out, ignored);
}

std::optional<PictureSource> PictureSources::next() {
  while (!found_.empty()) {
    if (!found_.front().path.empty()) {
      PictureSource source = std::move(found_.front());
      found_.pop_front();
      return source;
    }
    if (std::optional<PictureSource> listed = next_of_list()) return listed;
    found_.pop_front();
  }
  return std::nullopt;
}

std::optional<PictureSource> PictureSources::next_of_list() {
  std::string line;
  while (std::getline(list_, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    return PictureSource{line, rules_.listed_folders ? below(line) : fs::path(line).filename(), {}};
  }
  return std::nullopt;
}

}  // namespace spiga::media
