// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/given_boxes.h"

#include <span>

#include "annotations/annotations.h"
#include "base/file.h"
#include "scheme/scheme.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;

// The ids of every database: only boxes matter here, whatever landmarks they come from.
std::vector<std::span<const int>> all_databases() {
  std::vector<std::span<const int>> databases;
  for (const std::string& name : scheme::database_names())
    databases.emplace_back(scheme::find_database(name).ids);
  return databases;
}

std::string normal(const fs::path& path) { return base::plain_path(path).string(); }

}  // namespace

GivenBoxes::GivenBoxes(const fs::path& file, const std::function<void(const std::string&)>& on_problem)
    : file_(file) {
  const std::vector<std::span<const int>> databases = all_databases();
  const annotations::FaceList list =
      annotations::read(file, {.any_of = databases, .on_bad_record = on_problem});
  const fs::path folder = base::is_folder(file) ? file : file.parent_path();
  for (const annotations::AnnotatedFace& face : list.faces) {
    const auto box = annotations::box_of(face);
    std::vector<Box>& boxes = by_path_[normal(folder / face.image)];
    if (!box) continue;
    boxes.push_back({static_cast<float>(box->x), static_cast<float>(box->y), static_cast<float>(box->width),
                     static_cast<float>(box->height)});
  }
  for (const auto& [path, boxes] : by_path_) {
    const auto [entry, is_new] = by_name_.emplace(fs::path(path).filename().string(), &boxes);
    if (!is_new) entry->second = nullptr;
  }
}

const std::vector<Box>* GivenBoxes::find(const fs::path& picture) const {
  const auto same_path = by_path_.find(normal(picture));
  if (same_path != by_path_.end()) return &same_path->second;
  auto same_name = by_name_.find(picture.filename().string());
  if (same_name == by_name_.end()) same_name = by_name_.find(picture.stem().string());
  return same_name == by_name_.end() ? nullptr : same_name->second;
}

}  // namespace spiga::media
