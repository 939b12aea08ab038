// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "scheme/scheme.h"

#include <algorithm>

#include "base/text.h"
#include "scheme/embedded.h"
#include "scheme/parse.h"
#include "spiga/error.h"

namespace spiga::scheme {
namespace {

constexpr std::string_view kMarkupPrefix = "markup_";

std::string_view embedded_text(std::string_view name) {
  for (std::size_t i = 0; i < kEmbeddedFileCount; ++i) {
    if (kEmbeddedFiles[i].name == name) return kEmbeddedFiles[i].text;
  }
  throw Error(ErrorCode::bad_data, base::concat("no mark-up '", base::printable(name), "' is built in"));
}

const std::vector<Database>& databases() {
  static const std::vector<Database> all = [] {
    std::vector<Database> read;
    for (std::size_t i = 0; i < kEmbeddedFileCount; ++i) {
      const EmbeddedFile& file = kEmbeddedFiles[i];
      if (!file.name.starts_with(kMarkupPrefix))
        read.push_back(parse_database(file.name, file.text, embedded_text));
    }
    return read;
  }();
  return all;
}

}  // namespace

int Database::index_of(int id) const {
  const auto found = std::find(ids.begin(), ids.end(), id);
  return found == ids.end() ? -1 : static_cast<int>(found - ids.begin());
}

const Database& find_database(std::string_view name) {
  for (const Database& database : databases()) {
    if (database.name == name) return database;
  }
  throw Error(ErrorCode::invalid_argument,
              base::concat("database: expected one of ", base::join(database_names()), "; found '",
                           base::printable(name), "'"));
}

std::vector<std::string> database_names() {
  std::vector<std::string> names;
  for (const Database& database : databases()) names.push_back(database.name);
  return names;
}

}  // namespace spiga::scheme
