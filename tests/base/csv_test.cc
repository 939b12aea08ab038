// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace spiga::base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<CsvRow> rows_of(std::string_view text) {
  CsvReader reader(text);
  std::vector<CsvRow> rows;
  while (std::optional<CsvRow> row = reader.next()) rows.push_back(std::move(*row));
  return rows;
}

TEST(Csv, CellsAreWhatIsBetweenTheCommas) {
  const std::vector<CsvRow> rows = rows_of("a, b ,,\"c, d\"\r\n\n1,2\n");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[0].cells, ElementsAre("a", "b", "", "c, d"));
  EXPECT_THAT(rows[1].cells, ElementsAre("1", "2"));
  EXPECT_EQ(rows[1].line, 3U);
  EXPECT_THAT(rows_of("1,2")[0].cells, ElementsAre("1", "2")) << "without a line end";
  EXPECT_THAT(rows_of("1,")[0].cells, ElementsAre("1", ""));
  EXPECT_THAT(rows_of("\r\n \n"), IsEmpty());
}

TEST(Csv, AByteOrderMarkIsPassedOver) {
  EXPECT_THAT(rows_of("\xEF\xBB\xBFimage,x\n")[0].cells, ElementsAre("image", "x"));
  EXPECT_THAT(rows_of("\xEF\xBB\xBF\"image\",x\n")[0].cells, ElementsAre("image", "x"));
}

TEST(Csv, QuotesKeepLineEndsAndCountThem) {
  const std::vector<CsvRow> rows = rows_of("\"a\n\"\"b\"\"\r\nc\" ,2\r\n3,4\n");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[0].cells, ElementsAre("a\n\"b\"\r\nc", "2"));
  EXPECT_EQ(rows[1].line, 4U);
}

TEST(Csv, AMalformedRowCostsItsOwnLineOnly) {
  for (const char* bad : {"\"a,1", "\"a\"b,1", "a\"b,1", "a,\"b\"\"", "\"\"\"x,1"}) {
    const std::vector<CsvRow> rows = rows_of(std::string("h,i\n") + bad + "\n\"c\",2\nd,\"3\"\n");
    ASSERT_THAT(rows, SizeIs(4)) << bad;
    EXPECT_THAT(rows[1].problem, HasSubstr("quote")) << bad;
    EXPECT_THAT(rows[1].cells, IsEmpty()) << bad;
    EXPECT_THAT(rows[2].cells, ElementsAre("c", "2")) << bad;
    EXPECT_THAT(rows[3].cells, ElementsAre("d", "3")) << bad;
    EXPECT_EQ(rows[3].line, 4U) << bad;
  }
}

TEST(Csv, WhatIsWrittenIsRead) {
  constexpr std::string_view kBytes = "a\",\n\r \t;\xEF";
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> cells(2 + random() % 3);
    std::string row;
    for (std::string& cell : cells) {
      for (auto left = random() % 6; left > 0; --left) cell += kBytes[random() % kBytes.size()];
      if (&cell != &cells.front()) row += ',';
      append_csv_cell(row, cell);
    }
    const std::vector<CsvRow> rows = rows_of("h\n" + row + "\n");
    ASSERT_THAT(rows, SizeIs(2)) << row;
    EXPECT_EQ(rows[1].cells, cells) << row;
  }
}

}  // namespace
}  // namespace spiga::base
