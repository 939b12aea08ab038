// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz/support.h"
#include "scheme/parse.h"

namespace spiga::fuzz {

// The bytes are both: a database that names its mark-up, and the mark-up itself.
void fuzz_markup(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto check = [](const scheme::Database& database) {
    const auto count = static_cast<std::size_t>(database.landmarks);
    require(count > 0 && database.ids.size() == count && database.flip_order.size() == count);
    require(database.edge2point.size() == count * (database.edges.size() + 1));
    for (const int mirror : database.flip_order) require(mirror >= 0 && mirror < database.landmarks);
    for (const scheme::Edge& edge : database.edges)
      for (const int landmark : edge.landmarks) require(landmark >= 0 && landmark < database.landmarks);
    require(!database.norms.empty());
  };
  expect_error_or_success([&] {
    check(scheme::parse_database("fuzz", "markup fuzz\nnorm corners 8\n",
                                 [&](std::string_view) { return text; }));
  });
  constexpr std::string_view kPoint = "point 0 7 0 0 0 0\n";
  expect_error_or_success(
      [&] { check(scheme::parse_database("fuzz", text, [&](std::string_view) { return kPoint; })); });
}

}  // namespace spiga::fuzz
