// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <istream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "media/picture_header.h"

namespace spiga::media {

// A picture (or video) to work on, or what kept one from being found.
struct PictureSource {
  std::string path;                // as the user would name it
  std::filesystem::path relative;  // below the folder that was given, or the file's name: for output folders
  std::string problem;             // empty, or one line that names the file or folder
};

// All pictures that inputs stand for, in order: files as they are, the pictures of a folder by name (with
// those of its folders where recursive; hidden files and folders are left out), and for "-" the paths that a
// stream lists, one per line, read as they are asked for. Files are not opened, so that whoever reads them
// reports what is wrong with them.
class PictureSources {
 public:
  struct Rules {
    bool recursive = false;
    // Which files of folders are meant, by their names.
    std::function<bool(std::string_view)> takes = has_picture_extension;
    // Listed files keep their folders in `relative`, without a leading "/" or "..".
    bool listed_folders = false;
    // A folder that is passed over within others: where results go.
    std::filesystem::path left_out = {};
  };
  PictureSources(std::vector<std::string> inputs, Rules rules, std::istream& list);
  PictureSources(std::vector<std::string> inputs, bool recursive, std::istream& list)
      : PictureSources(std::move(inputs), Rules{.recursive = recursive}, list) {}

  // The next picture, or nothing at the end.
  std::optional<PictureSource> next();

  // How many there will be in all, known unless a list is among the inputs.
  std::optional<std::size_t> count() const { return count_; }

 private:
  void expand(const std::string& input);
  void expand_folder(const std::filesystem::path& folder, const std::filesystem::path& relative);
  std::optional<PictureSource> next_of_list();

  bool is_left_out(const std::filesystem::path& folder) const;

  Rules rules_;
  std::istream& list_;
  std::deque<PictureSource> found_;  // an empty path stands for the list
  std::optional<std::size_t> count_ = 0;
};

}  // namespace spiga::media
