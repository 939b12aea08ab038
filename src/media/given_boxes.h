// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spiga/face.h"

namespace spiga::media {

// Boxes of faces from an annotation file, in place of a detector. Immutable after loading; safe from any
// thread.
class GivenBoxes {
 public:
  // Reads any form that annotations::read knows. A record that cannot be used is told to `on_problem` and
  // left out. Throws Error: not_found, bad_data.
  GivenBoxes(const std::filesystem::path& file, const std::function<void(const std::string&)>& on_problem);

  // The boxes of a picture: of the record whose name, taken relative to the annotation file's folder, is the
  // same file, or else whose file name is the same, or where it has no extension (.pts files without a
  // picture beside them) the same but for that. Null where the file does not know the picture, or where
  // several pictures of that file name are in it.
  const std::vector<Box>* find(const std::filesystem::path& picture) const;

  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  std::map<std::string, std::vector<Box>> by_path_;  // normal absolute path
  std::map<std::string, const std::vector<Box>*, std::less<>>
      by_name_;  // null: several pictures have this name
};

}  // namespace spiga::media
