// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/result_set.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLargestManifest = 1 << 20;

std::string text_of(const json& value) {
  return value.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

template <typename Value>
Value field(const fs::path& path, const json& object, const char* name) {
  try {
    return object.at(name).get<Value>();
  } catch (const json::exception&) {
    throw Error(ErrorCode::bad_data,
                base::concat(path.native(), ": ", name, ": expected what spiga writes there, found ",
                             object.contains(name) ? base::printable(object[name].dump(), 40) : "nothing"));
  }
}

std::uint64_t number_of(std::string_view text, std::string_view all) {
  const auto number = base::parse_int(text);
  if (!number || *number < 1 || *number > 1'000'000'000)
    throw Error(ErrorCode::invalid_argument,
                base::concat("--shard: expected I/N with 1 <= I <= N, found '", base::printable(all), "'"));
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

ResultKinds parse_result_kinds(std::string_view text) {
  ResultKinds kinds;
  for (const std::string_view name : base::split(text, ',')) {
    if (name == "lines") {
      kinds.lines = true;
    } else if (name == "csv") {
      kinds.csv = true;
    } else if (name == "overlay") {
      kinds.overlay = true;
    } else if (name == "summary") {
      kinds.summary = true;
    } else {
      throw Error(ErrorCode::invalid_argument,
                  base::concat("--write: expected some of lines,csv,overlay,summary, found '",
                               base::printable(name), "'"));
    }
  }
  return kinds;
}

fs::path ResultNames::with(std::string_view ending, std::string_view extension) const {
  fs::path path = stem_;
  path += ending;
  path += extension;
  return path;
}

void write_manifest(const fs::path& path, const Manifest& manifest) {
  const json input = {{"name", manifest.input},
                      {"bytes", manifest.bytes},
                      {"modified_ns", manifest.modified_ns},
                      {"sha256", manifest.sha256}};
  base::write_file(path, text_of({{"spiga", manifest.version},
                                  {"options", manifest.options},
                                  {"input", input},
                                  {"files", manifest.files},
                                  {"pictures", manifest.pictures},
                                  {"faces", manifest.faces},
                                  {"problems", manifest.problems}}));
}

std::optional<Manifest> read_manifest(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  const json object = json::parse(base::read_file(path, kLargestManifest), nullptr, false);
  if (!object.is_object())
    throw Error(ErrorCode::bad_data, base::concat(path.native(), ": expected a manifest of spiga's in JSON"));
  const json input = field<json>(path, object, "input");
  Manifest manifest;
  manifest.version = field<std::string>(path, object, "spiga");
  manifest.options = field<std::map<std::string, std::string>>(path, object, "options");
  manifest.input = field<std::string>(path, input, "name");
  manifest.bytes = field<std::uintmax_t>(path, input, "bytes");
  manifest.modified_ns = field<std::int64_t>(path, input, "modified_ns");
  manifest.sha256 = field<std::string>(path, input, "sha256");
  manifest.files = field<std::map<std::string, std::uintmax_t>>(path, object, "files");
  manifest.pictures = field<std::int64_t>(path, object, "pictures");
  manifest.faces = field<std::int64_t>(path, object, "faces");
  manifest.problems = field<std::vector<std::string>>(path, object, "problems");
  return manifest;
}

FileStamp stamp_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    throw Error(ErrorCode::not_found, base::concat(path.native(), ": cannot open: ", std::strerror(errno)));
  return {static_cast<std::uintmax_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::string why_again(const Manifest& found, const Manifest& wanted, const fs::path& input,
                      const fs::path& folder) {
  if (found.version != wanted.version) return "results of spiga " + base::printable(found.version);
  if (found.options != wanted.options) return "results of other options or models";
  for (const auto& [name, bytes] : found.files) {
    std::error_code error;
    if (fs::file_size(folder / name, error) != bytes || error) return "results that are not whole";
  }
  const FileStamp stamp = stamp_of(input);
  if (stamp == FileStamp{found.bytes, found.modified_ns}) return "";
  const bool same = stamp.bytes == found.bytes && base::sha256_of_file(input) == found.sha256;
  return same ? "" : "inputs that have changed";
}

void Leftovers::remove(const ResultNames& names) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = by_folder_.try_emplace(names.folder());
  std::vector<fs::path>& files = entry->second;
  std::error_code error;
  if (is_new)
    for (fs::directory_iterator file(names.folder(), error), end; !error && file != end;
         file.increment(error))
      if (const std::string name = file->path().filename().string();
          name.starts_with('.') && name.find(".tmp-") != std::string::npos)
        files.push_back(file->path());
  // base::temporary_name: the name behind a dot, shortened where it is long.
  const std::string prefix = "." + (names.name() + ".").substr(0, 200);
  std::erase_if(files, [&](const fs::path& file) {
    const bool ours = file.filename().string().starts_with(prefix);
    if (ours) fs::remove(file, error);
    return ours;
  });
}

bool Shard::has(const fs::path& input) const {
  if (count == 1) return true;
  const std::string digest = base::sha256_of(input.generic_string());
  return std::stoull(digest.substr(0, 15), nullptr, 16) % count == number - 1;
}

Shard parse_shard(std::string_view text) {
  const std::vector<std::string_view> parts = base::split(text, '/');
  if (parts.size() != 2) number_of("", text);
  const Shard shard = {number_of(parts[0], text), number_of(parts[1], text)};
  if (shard.number > shard.count) number_of("", text);
  return shard;
}

}  // namespace spiga::cli
