// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/csv.h"

#include <algorithm>

#include "base/text.h"

namespace spiga::base {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

std::optional<CsvRow> CsvReader::next() {
  while (at_ < text_.size()) {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    if (!trim(text_.substr(at_, end - at_)).empty()) return read_row();
    at_ = end + 1;
    ++line_;
  }
  return std::nullopt;
}

CsvRow CsvReader::read_row() {
  CsvRow row;
  row.line = line_;
  const std::size_t begin = at_;
  while (read_cell(row)) {
    if (at_ < text_.size() && text_[at_] == ',') {
      ++at_;
      continue;
    }
    at_ = std::min(text_.find('\n', at_), text_.size()) + 1;
    ++line_;
    return row;
  }
  row.cells.clear();
  at_ = std::min(text_.find('\n', begin), text_.size()) + 1;
  line_ = row.line + 1;
  return row;
}

bool CsvReader::at_line_end() const {
  return at_ >= text_.size() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n" ||
         (text_[at_] == '\r' && at_ + 1 == text_.size());
}

bool CsvReader::read_cell(CsvRow& row) {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  std::string cell;
  if (at_ < text_.size() && text_[at_] == '"') {
    ++at_;
    if (!read_quoted(cell, row.problem)) return false;
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    if (!at_line_end() && text_[at_] != ',') {
      row.problem = "expected a comma behind a quoted field, found more text";
      return false;
    }
  } else {
    const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    cell = trim(text_.substr(at_, end - at_));
    at_ = end;
    if (cell.find('"') != std::string::npos) {
      row.problem = "expected quotes around a whole field, found one within '" + printable(cell) + "'";
      return false;
    }
  }
  row.cells.push_back(std::move(cell));
  return true;
}

bool CsvReader::read_quoted(std::string& cell, std::string& problem) {
  for (;;) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) {
      problem = "a quoted field has no end";
      return false;
    }
    const std::string_view piece = text_.substr(at_, quote - at_);
    line_ += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
    cell += piece;
    at_ = quote + 1;
    if (at_ >= text_.size() || text_[at_] != '"') return true;
    cell += '"';
    ++at_;
  }
}

void append_csv_cell(std::string& out, std::string_view text) {
  const bool plain = text.find_first_of(",\"\r\n") == std::string_view::npos && trim(text) == text;
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace spiga::base
