// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "annotations/annotations.h"
#include "spiga/error.h"

// What the readers of the forms share; of no use outside this module.
namespace spiga::annotations {

// Takes in one record after the other, checks it and decides what happens to a bad one.
class FaceCollector {
 public:
  FaceCollector(FaceList& list, const ReadOptions& options);

  // The ids of a face that lists this many landmarks without naming them: those of the database with so many.
  // Fails where there is none, saying how many were expected.
  std::span<const int> ids_for(const std::string& where, std::size_t landmarks) const;
  // How many landmarks such a face may have, in words: "68", "98 or 68".
  std::string landmark_counts() const;
  // The databases that are meant: one, or several where any will do.
  std::vector<std::span<const int>> databases() const;

  // Parses one record with `parse` (which returns an AnnotatedFace) and takes it in. `where` names the record
  // in messages, such as "valid.json: face 12". True where the face was kept.
  template <typename Parse>
  bool add(const std::string& where, Parse&& parse) {
    try {
      take(where, parse());
      return true;
    } catch (const Error& error) {
      refuse(error);
      return false;
    }
  }

 private:
  void take(const std::string& where, AnnotatedFace face);
  void refuse(const Error& error);
  void check_ids(const std::string& where, const AnnotatedFace& face);

  FaceList& list_;
  const ReadOptions& options_;
  std::vector<char> known_;           // [largest id + 1]
  std::vector<std::size_t> seen_in_;  // [largest id + 1] the number of the last face that had this id
  std::set<std::string> faces_seen_;  // image and box, to find a face listed twice
  std::size_t serial_ = 0;
};

[[noreturn]] void fail(const std::string& where, const std::string& what);

// A finite number that fills the whole text; otherwise fails with where, the name of the field and the text.
double parse_number(const std::string& where, std::string_view field, std::string_view text);

// The file's lines without \n or \r\n; the views live as long as the text.
std::vector<std::string_view> split_lines(std::string_view text);

void read_json(const std::filesystem::path& path, FaceCollector& faces);
void read_json_lines(const std::filesystem::path& path, FaceCollector& faces);
void read_csv(const std::filesystem::path& path, FaceCollector& faces);
// What stands for a picture where a form has numbers of a video's frames, counted from 0: "frame7".
std::string frame_name(long long number);
void read_pts_folder(const std::filesystem::path& folder, const ReadOptions& options, FaceList& list,
                     FaceCollector& faces);
void read_wflw_list(const std::filesystem::path& path, FaceList& list, FaceCollector& faces);

}  // namespace spiga::annotations
