// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::base {

// A row of a table.
struct CsvRow {
  std::size_t line = 0;            // where it begins, counted from 1
  std::vector<std::string> cells;  // without quotes; blanks around a cell without quotes are left out
  std::string problem;             // why the row is malformed; empty: it is not. `cells` is empty then
};

// Reads a table as RFC 4180 describes it: cells between commas, in quotes where they hold commas, quotes
// (which are doubled) or line ends. A byte-order mark at the beginning is passed over, and so are blank
// lines; lines end with \n or \r\n. After a malformed row reading goes on with the line behind the one that
// it began in, so that one stray quote costs one row. Linear in the text's length. One thread at a time.
class CsvReader {
 public:
  // The text must outlive the reader.
  explicit CsvReader(std::string_view text);

  // The next row, or nothing at the end.
  std::optional<CsvRow> next();

 private:
  CsvRow read_row();
  // One cell from `at_` on, up to the comma or the line's end behind it. False: malformed, and why.
  bool read_cell(CsvRow& row);
  bool read_quoted(std::string& cell, std::string& problem);
  bool at_line_end() const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

// The text as a cell: in quotes where RFC 4180 asks for them, or where it begins or ends with a blank.
void append_csv_cell(std::string& out, std::string_view text);

}  // namespace spiga::base
