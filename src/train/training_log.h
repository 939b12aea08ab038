// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace spiga::train {

// A CSV file of numbers that grows line by line, kept in memory as well; its first columns are stage and
// step. An empty cell is NaN. A line that cannot be written (a full disk) is no loss: the next one writes all
// again.
class TrainingLog {
 public:
  using Row = std::vector<std::pair<std::string, double>>;

  // An empty log at `path`, or, with `keep`, what an earlier run left there before that position; what came
  // after it is trained again. Throws Error(bad_data) where the file is something else.
  static TrainingLog fresh(const std::string& path);
  static TrainingLog resumed(const std::string& path, const Position& keep);

  // Columns not seen before are added. False where the file could not be written.
  bool append(const Row& row);

  std::size_t rows() const { return rows_; }
  bool has(const std::string& column) const { return columns_.contains(column); }
  // [rows]; all NaN where there is no such column.
  std::vector<double> column(const std::string& name) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  explicit TrainingLog(std::string path) : path_(std::move(path)) {}
  void read(const std::string& text, const Position& keep);
  void add(const Row& row);
  std::string header() const;
  std::string line(std::size_t row) const;

  std::string path_;
  std::vector<std::string> names_;  // of columns, in the order of the file
  std::map<std::string, std::vector<double>> columns_;
  std::size_t rows_ = 0;
  bool in_step_ = false;  // the file shows all of this
};

}  // namespace spiga::train
