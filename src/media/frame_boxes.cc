// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/frame_boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

// Which columns hold frame, x, y, width and height.
using Columns = std::array<std::size_t, 5>;

std::optional<Columns> find_columns(const std::vector<std::string_view>& header,
                                    const std::array<std::string_view, 5>& names) {
  Columns columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found =
        std::ranges::find(header, names[i], [](std::string_view name) { return base::trim(name); });
    if (found == header.end()) return std::nullopt;
    columns[i] = static_cast<std::size_t>(found - header.begin());
  }
  return columns;
}

Columns columns_of(std::string_view header, const std::string& where) {
  const std::vector<std::string_view> cells = base::split(header, ',');
  if (const auto plain = find_columns(cells, {"frame", "x", "y", "width", "height"})) return *plain;
  if (const auto ours = find_columns(cells, {"frame", "box_x", "box_y", "box_w", "box_h"})) return *ours;
  throw Error(ErrorCode::bad_data,
              where + "expected columns frame, x, y, width, height; found '" + base::printable(header) + "'");
}

}  // namespace

FrameBoxes::FrameBoxes(const std::filesystem::path& file) {
  const std::string content = base::read_file(file);
  std::optional<Columns> columns;
  int number = 0;
  for (const std::string_view line : base::split(content, '\n')) {
    const std::string where = base::concat(file.native(), ":", ++number, ": ");
    if (base::trim(line).empty()) continue;
    if (!columns) {
      columns = columns_of(line, where);
      continue;
    }
    const std::vector<std::string_view> cells = base::split(line, ',');
    const auto cell = [&](std::size_t i) {
      return (*columns)[i] < cells.size() ? base::trim(cells[(*columns)[i]]) : std::string_view();
    };
    if (cell(1).empty() && cell(2).empty() && cell(3).empty() && cell(4).empty()) continue;
    std::array<double, 4> box;
    for (std::size_t i = 0; i < box.size(); ++i) box[i] = base::parse_double(cell(i + 1)).value_or(NAN);
    const auto frame = base::parse_int(cell(0));
    const bool finite = std::ranges::all_of(box, [](double v) { return std::isfinite(v); });
    if (!frame || *frame < 0 || !finite || !(box[2] > 0 && box[3] > 0))
      throw Error(ErrorCode::bad_data,
                  where + "expected a frame's number and a box, found '" + base::printable(line) + "'");
    boxes_[*frame].push_back({{static_cast<float>(box[0]), static_cast<float>(box[1]),
                               static_cast<float>(box[2]), static_cast<float>(box[3])},
                              1});
  }
  if (!columns) throw Error(ErrorCode::bad_data, file.string() + ": expected a table, found nothing");
}

std::vector<Detection> FrameBoxes::at(std::int64_t frame) const {
  const auto found = boxes_.find(frame);
  return found == boxes_.end() ? std::vector<Detection>() : found->second;
}

}  // namespace spiga::media
