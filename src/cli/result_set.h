// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The files that `spiga analyze --out` writes for one input, and how it is told whether they are whole
// (docs/many.md).
namespace spiga::cli {

// What --write asks for.
struct ResultKinds {
  bool lines = false, csv = false, overlay = false, summary = false;
};
// "lines,csv,overlay,summary", some of them. Throws Error(invalid_argument).
ResultKinds parse_result_kinds(std::string_view text);

// Where the files of one input go: "holiday/a.jpg" becomes DIR/holiday/a.jpg.jsonl and so on.
class ResultNames {
 public:
  ResultNames(const std::filesystem::path& folder, const std::filesystem::path& input)
      : stem_(folder / input) {}

  std::filesystem::path lines() const { return with(".jsonl"); }
  std::filesystem::path csv() const { return with(".csv"); }
  std::filesystem::path overlay(std::string_view extension) const { return with(".overlay", extension); }
  std::filesystem::path summary() const { return with(".html"); }
  std::filesystem::path manifest() const { return with(".manifest.json"); }
  std::filesystem::path folder() const { return stem_.parent_path(); }
  std::string name() const { return stem_.filename().string(); }

 private:
  std::filesystem::path with(std::string_view ending, std::string_view extension = "") const;
  std::filesystem::path stem_;
};

// What one input's results came from. Written last, so that it stands for a whole set.
struct Manifest {
  std::string version;                          // of spiga
  std::map<std::string, std::string> options;   // all that decides about the results; models by their digest
  std::string input;                            // relative to the folder that was given
  std::uintmax_t bytes = 0;                     // of the input
  std::int64_t modified_ns = 0;                 // since 1970
  std::string sha256;                           // of the input
  std::map<std::string, std::uintmax_t> files;  // size of each result by its name
  std::int64_t pictures = 0;                    // or frames
  std::int64_t faces = 0;                       // over all of them
  std::vector<std::string> problems;            // what went wrong without ending it
};

// Throws Error as base::write_file.
void write_manifest(const std::filesystem::path& path, const Manifest& manifest);
// Nothing where there is none. Throws Error(bad_data), naming file and field.
std::optional<Manifest> read_manifest(const std::filesystem::path& path);

// Of a file: what Manifest says of it without its digest. Throws Error(not_found).
struct FileStamp {
  std::uintmax_t bytes = 0;
  std::int64_t modified_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const std::filesystem::path& path);

// Why the results that a manifest stands for cannot stay, in a few words; empty where they can. `wanted` has
// version and options. An input whose time differs is read, to see whether its content does.
std::string why_again(const Manifest& found, const Manifest& wanted, const std::filesystem::path& input,
                      const std::filesystem::path& folder);

// Temporary files that a run which was killed left behind. Safe from any thread.
class Leftovers {
 public:
  // Removes those of one input's results. To be called before anything is written for it.
  void remove(const ResultNames& names);

 private:
  std::mutex mutex_;
  std::map<std::filesystem::path, std::vector<std::filesystem::path>> by_folder_;
};

// Which of N runs that share the work an input belongs to.
struct Shard {
  std::uint64_t number = 1;  // from 1 on
  std::uint64_t count = 1;

  // By the name alone, whatever the order of the inputs and the machine.
  bool has(const std::filesystem::path& input) const;
};
// "2/16". Throws Error(invalid_argument).
Shard parse_shard(std::string_view text);

}  // namespace spiga::cli
