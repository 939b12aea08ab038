// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/training_log.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

#include "base/csv.h"
#include "base/file.h"
#include "base/text.h"
#include "spiga/error.h"

namespace spiga::train {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kStage = "stage";
constexpr const char* kStep = "step";

// Seven digits, or as many as a whole number has.
std::string cell(double value) {
  if (std::isnan(value)) return "";
  char text[64];
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(value))
                         : std::to_chars(text, text + sizeof text, value, std::chars_format::general, 7);
  return {text, end.ptr};
}

}  // namespace

TrainingLog TrainingLog::fresh(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return TrainingLog(path);
}

TrainingLog TrainingLog::resumed(const std::string& path, const Position& keep) {
  TrainingLog log(path);
  if (base::exists(path)) log.read(base::read_file(path), keep);
  return log;
}

void TrainingLog::read(const std::string& text, const Position& keep) {
  base::CsvReader rows(text);
  const std::optional<base::CsvRow> names = rows.next();
  if (!names) return;
  if (names->cells.size() < 2 || names->cells[0] != kStage || names->cells[1] != kStep)
    throw Error(ErrorCode::bad_data, path_ + ":1: expected a log that begins with stage,step");
  while (const std::optional<base::CsvRow> cells = rows.next()) {
    if (cells->cells.size() != names->cells.size()) continue;  // a line cut short
    Row row;
    for (std::size_t c = 0; c < names->cells.size(); ++c)
      row.emplace_back(names->cells[c], base::parse_double(cells->cells[c]).value_or(kNone));
    const double stage = row[0].second, step = row[1].second;
    if (stage < keep.stage || (stage == keep.stage && step < static_cast<double>(keep.step))) add(row);
  }
}

void TrainingLog::add(const Row& row) {
  for (const auto& [name, value] : row) {
    if (columns_.contains(name)) continue;
    columns_[name].assign(rows_, kNone);
    names_.push_back(name);
    in_step_ = false;
  }
  ++rows_;
  for (auto& [name, values] : columns_) values.push_back(kNone);
  for (const auto& [name, value] : row) columns_[name].back() = value;
}

bool TrainingLog::append(const Row& row) {
  add(row);
  try {
    if (in_step_) {
      std::ofstream out(path_, std::ios::app);
      out << line(rows_ - 1) << std::flush;
      in_step_ = out.good();
    }
    if (!in_step_) {
      std::string text = header();
      for (std::size_t i = 0; i < rows_; ++i) text += line(i);
      base::write_file(path_, text);
      in_step_ = true;
    }
  } catch (const Error&) {
    in_step_ = false;
  }
  return in_step_;
}

std::string TrainingLog::header() const { return base::join(names_, ",") + '\n'; }

std::string TrainingLog::line(std::size_t row) const {
  std::vector<std::string> cells;
  for (const std::string& name : names_) cells.push_back(cell(columns_.at(name)[row]));
  return base::join(cells, ",") + '\n';
}

std::vector<double> TrainingLog::column(const std::string& name) const {
  const auto found = columns_.find(name);
  return found == columns_.end() ? std::vector<double>(rows_, kNone) : found->second;
}

}  // namespace spiga::train
