// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "scheme/parse.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::scheme {
namespace {

using base::concat;
using Words = std::vector<std::string_view>;

// Where a reader is, for its messages.
struct Place {
  std::string_view file;
  int line = 0;

  [[noreturn]] void fail(std::string_view expected, std::string_view found) const {
    throw Error(ErrorCode::bad_data, concat(file, ".txt:", line, ": expected ", expected, ", found '",
                                            base::printable(found), "'"));
  }
};

int index_from(std::string_view word, int limit, const Place& place) {
  const auto value = base::parse_int(word);
  if (!value || *value < 0 || *value >= limit) place.fail(concat("a number from 0 to ", limit - 1), word);
  return static_cast<int>(*value);
}

double number_from(std::string_view word, const Place& place) {
  const auto value = base::parse_double(word);
  if (!value) place.fail("a number", word);
  return *value;
}

// "3 7-9" -> 3 7 8 9, from words[first] on.
std::vector<int> indices_from(const Words& words, std::size_t first, int limit, const Place& place) {
  std::vector<int> indices;
  for (std::size_t i = first; i < words.size(); ++i) {
    const Words ends = base::split(words[i], '-');
    if (ends.size() > 2) place.fail("an index or a range", words[i]);
    const int begin = index_from(ends.front(), limit, place);
    const int end = index_from(ends.back(), limit, place);
    if (end < begin) place.fail("a rising range", words[i]);
    for (int index = begin; index <= end; ++index) indices.push_back(index);
  }
  if (indices.empty()) place.fail("indices", "none");
  return indices;
}

// Calls take(words, place) for every line that says something.
template <typename Take>
void for_each_line(std::string_view file, std::string_view text, const Take& take) {
  Place place{file, 0};
  for (const std::string_view line : base::split(text, '\n')) {
    ++place.line;
    const Words words = base::split_words(line.substr(0, line.find('#')));
    if (!words.empty()) take(words, place);
  }
}

void expect_words(const Words& words, std::size_t count, const Place& place) {
  if (words.size() != count)
    place.fail(concat(count - 1, " words after '", words[0], "'"), concat(words.size() - 1));
}

void take_point(const Words& words, const Place& place, Database& database) {
  expect_words(words, 7, place);
  if (index_from(words[1], 1000, place) != static_cast<int>(database.ids.size())) {
    place.fail(concat("point ", database.ids.size()), words[1]);
  }
  database.ids.push_back(index_from(words[2], 1000, place));
  database.flip_order.push_back(index_from(words[3], 1000, place));
  const Point3 point = {number_from(words[4], place), number_from(words[5], place),
                        number_from(words[6], place)};
  database.mean_face.push_back(point);
  database.world_points.push_back({point[2], -point[0], -point[1]});
}

// The incidence matrix: one column per edge, a last one for the free landmarks.
void fill_edge2point(Database& database, const std::vector<int>& free_landmarks) {
  const std::size_t columns = database.edges.size() + 1;
  database.edge2point.assign(database.ids.size() * columns, 0.0F);
  for (std::size_t e = 0; e < database.edges.size(); ++e) {
    for (const int landmark : database.edges[e].landmarks) database.edge2point[landmark * columns + e] = 1.0F;
  }
  for (const int landmark : free_landmarks) database.edge2point[landmark * columns + columns - 1] = 1.0F;
}

void check_markup(const Database& database, const Place& place) {
  const auto count = static_cast<int>(database.ids.size());
  if (std::set<int>(database.ids.begin(), database.ids.end()).size() != database.ids.size()) {
    place.fail("ids that differ", "one of them twice");
  }
  for (int i = 0; i < count; ++i) {
    const int mirror = database.flip_order[i];
    if (mirror >= count || database.flip_order[mirror] != i) {
      place.fail(concat("a mirror image whose mirror image is ", i), concat(mirror));
    }
  }
}

void parse_markup(std::string_view file, std::string_view text, Database& database) {
  std::vector<int> free_landmarks;
  for_each_line(file, text, [&](const Words& words, const Place& place) {
    const auto count = static_cast<int>(database.ids.size());
    if (words[0] == "point") {
      take_point(words, place, database);
    } else if (words[0] == "edge" && words.size() > 2) {
      database.edges.push_back({std::string(words[1]), indices_from(words, 2, count, place)});
    } else if (words[0] == "free") {
      free_landmarks = indices_from(words, 1, count, place);
    } else {
      place.fail("point, edge or free with its values", words[0]);
    }
  });
  check_markup(database, {file, 0});
  database.landmarks = static_cast<int>(database.ids.size());
  fill_edge2point(database, free_landmarks);
}

void take_subset(const Words& words, const Place& place, Database& database) {
  constexpr int kPictures = 1000000;
  const std::vector<int> images = indices_from(words, 2, kPictures, place);
  auto& subsets = database.test_subsets;
  if (subsets.empty() || subsets.back().name != words[1]) subsets.push_back({std::string(words[1]), {}});
  auto& all = subsets.back().images;
  all.insert(all.end(), images.begin(), images.end());
  if (!std::is_sorted(all.begin(), all.end())) place.fail("rising indices", words[1]);
}

}  // namespace

Database parse_database(std::string_view name, std::string_view text, const MarkupText& markup_text) {
  Database database;
  database.name = name;
  for_each_line(name, text, [&](const Words& words, const Place& place) {
    if (words[0] == "markup") {
      expect_words(words, 2, place);
      const std::string markup = concat("markup_", words[1]);
      parse_markup(markup, markup_text(markup), database);
    } else if (words[0] == "norm") {
      expect_words(words, 3, place);
      database.norms.push_back({std::string(words[1]), number_from(words[2], place)});
    } else if (words[0] == "subset" && words.size() > 2) {
      take_subset(words, place, database);
    } else {
      place.fail("markup, norm or subset with its values", words[0]);
    }
  });
  if (database.landmarks == 0) Place{name, 0}.fail("a markup line with points", "none");
  if (database.norms.empty()) Place{name, 0}.fail("a norm line", "none");
  return database;
}

}  // namespace spiga::scheme
