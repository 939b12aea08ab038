// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/frame_boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "base/csv.h"
#include "base/file.h"
#include "base/text.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

// Which columns hold frame, x, y, width and height.
using Columns = std::array<std::size_t, 5>;

std::optional<Columns> find_columns(const std::vector<std::string>& header,
                                    const std::array<std::string_view, 5>& names) {
  Columns columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find(header, names[i]);
    if (found == header.end()) return std::nullopt;
    columns[i] = static_cast<std::size_t>(found - header.begin());
  }
  return columns;
}

Columns columns_of(const std::vector<std::string>& header, const std::string& where) {
  if (const auto plain = find_columns(header, {"frame", "x", "y", "width", "height"})) return *plain;
  if (const auto ours = find_columns(header, {"frame", "box_x", "box_y", "box_w", "box_h"})) return *ours;
  throw Error(ErrorCode::bad_data, base::concat(where, "expected columns frame, x, y, width, height; found '",
                                                base::printable(base::join(header)), "'"));
}

struct FrameBox {
  std::int64_t frame = 0;
  Box box;
};

// Nothing for a lost face. Throws Error(bad_data).
std::optional<FrameBox> box_of(const std::vector<std::string>& cells, const Columns& columns) {
  std::array<std::string_view, 5> texts;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (columns[i] < cells.size()) texts[i] = cells[columns[i]];
  if (std::all_of(texts.begin() + 1, texts.end(), [](std::string_view text) { return text.empty(); }))
    return std::nullopt;
  const auto frame = base::parse_int(texts[0]);
  std::array<float, 4> box;
  for (std::size_t i = 0; i < box.size(); ++i)
    box[i] = static_cast<float>(base::parse_double(texts[i + 1]).value_or(NAN));
  const bool finite = std::ranges::all_of(box, [](float v) { return std::isfinite(v); });
  if (!frame || *frame < 0 || !finite || !(box[2] > 0 && box[3] > 0))
    throw Error(ErrorCode::bad_data, base::concat("expected a frame's number and a box, found '",
                                                  base::printable(base::join(cells)), "'"));
  return FrameBox{*frame, {box[0], box[1], box[2], box[3]}};
}

}  // namespace

FrameBoxes::FrameBoxes(const std::filesystem::path& file,
                       const std::function<void(const std::string&)>& on_problem)
    : file_(file) {
  const std::string content = base::read_file(file);
  base::CsvReader rows(content);
  std::optional<Columns> columns;
  while (const std::optional<base::CsvRow> row = rows.next()) {
    const std::string where = base::concat(file.native(), ":", row->line, ": ");
    try {
      if (!row->problem.empty()) throw Error(ErrorCode::bad_data, row->problem);
      if (!columns) {
        columns = columns_of(row->cells, where);
      } else if (const std::optional<FrameBox> one = box_of(row->cells, *columns)) {
        boxes_[one->frame].push_back({one->box, 1});
      }
    } catch (const Error& error) {
      if (!columns) throw;
      on_problem(where + error.what());
    }
  }
  if (!columns) throw Error(ErrorCode::bad_data, file.string() + ": expected a table, found nothing");
}

std::vector<Detection> FrameBoxes::at(std::int64_t frame) const {
  const auto found = boxes_.find(frame);
  return found == boxes_.end() ? std::vector<Detection>() : found->second;
}

}  // namespace spiga::media
