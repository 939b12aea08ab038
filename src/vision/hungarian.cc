// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/hungarian.h"

#include <cmath>
#include <limits>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::vision {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check(std::span<const double> costs, int rows, int columns) {
  if (rows < 0 || columns < 0 || costs.size() != static_cast<std::size_t>(rows) * columns)
    throw Error(ErrorCode::invalid_argument,
                base::concat("assignment: expected ", rows, " x ", columns, " costs, found ", costs.size()));
  for (const double cost : costs) {
    if (!std::isfinite(cost)) throw Error(ErrorCode::invalid_argument, "assignment: expected finite costs");
  }
}

// Rows enter one after another; each finds the cheapest alternating path to a free column. Column 0 is a
// helper that holds the entering row; rows and columns count from 1.
class Assignment {
 public:
  Assignment(int rows, int columns)
      : row_price_(rows + 1), column_price_(columns + 1), row_of_(columns + 1), came_from_(columns + 1) {}

  template <typename Cost>
  void enter(int row, const Cost& cost) {
    const std::size_t columns = row_of_.size();
    std::vector<double> shortest(columns, kInfinity);
    std::vector<bool> done(columns, false);
    std::size_t here = 0;
    row_of_[0] = row;
    do {
      done[here] = true;
      std::size_t nearest = 0;
      double step = kInfinity;
      for (std::size_t column = 1; column < columns; ++column) {
        if (done[column]) continue;
        const int at = row_of_[here];
        const double reduced = cost(at, static_cast<int>(column)) - row_price_[at] - column_price_[column];
        if (reduced < shortest[column]) {
          shortest[column] = reduced;
          came_from_[column] = here;
        }
        if (shortest[column] < step) {
          step = shortest[column];
          nearest = column;
        }
      }
      for (std::size_t column = 0; column < columns; ++column) {
        if (done[column]) {
          row_price_[row_of_[column]] += step;
          column_price_[column] -= step;
        } else {
          shortest[column] -= step;
        }
      }
      here = nearest;
    } while (row_of_[here] != 0);
    for (; here != 0; here = came_from_[here]) row_of_[here] = row_of_[came_from_[here]];
  }

  int row_of(int column) const { return row_of_[column]; }

 private:
  std::vector<double> row_price_;
  std::vector<double> column_price_;
  std::vector<int> row_of_;  // 0: the column is free
  std::vector<std::size_t> came_from_;
};

}  // namespace

std::vector<int> assign(std::span<const double> costs, int rows, int columns) {
  check(costs, rows, columns);
  std::vector<int> column_of(rows, -1);
  const bool turned = rows > columns;  // the method wants at least as many columns as rows
  const int entering = turned ? columns : rows;
  const int places = turned ? rows : columns;
  Assignment assignment(entering, places);
  const auto cost = [&](int row, int column) {
    return turned ? costs[static_cast<std::size_t>(column - 1) * columns + row - 1]
                  : costs[static_cast<std::size_t>(row - 1) * columns + column - 1];
  };
  for (int row = 1; row <= entering; ++row) assignment.enter(row, cost);
  for (int place = 1; place <= places; ++place) {
    const int row = assignment.row_of(place);
    if (row == 0) continue;
    if (turned) {
      column_of[place - 1] = row - 1;
    } else {
      column_of[row - 1] = place - 1;
    }
  }
  return column_of;
}

}  // namespace spiga::vision
