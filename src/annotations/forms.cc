// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "annotations/forms.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace spiga::annotations {
namespace {

void require_length(const std::string& where, const char* field, std::size_t found, std::size_t expected) {
  if (found == expected) return;
  fail(where, std::string(field) + ": expected " + std::to_string(expected) + " values, one per id, found " +
                  std::to_string(found));
}

void require_finite(const std::string& where, const std::string& field, double value) {
  if (!std::isfinite(value))
    fail(where, field + ": expected a finite number, found " + std::to_string(value));
}

void check_numbers(const std::string& where, const AnnotatedFace& face) {
  for (std::size_t i = 0; i < face.ids.size(); ++i) {
    if (std::isfinite(face.landmarks[i].x) && std::isfinite(face.landmarks[i].y)) continue;
    fail(where, "landmark of id " + std::to_string(face.ids[i]) + ": expected finite numbers, found [" +
                    std::to_string(face.landmarks[i].x) + ", " + std::to_string(face.landmarks[i].y) + "]");
  }
  for (double value : face.uncertainty) require_finite(where, "uncertainty", value);
  for (double value : face.visible) require_finite(where, "visible", value);
  if (face.headpose) {
    for (double value : face.headpose->angles_deg) require_finite(where, "headpose", value);
    for (double value : face.headpose->translation) require_finite(where, "headpose", value);
  }
  if (!face.box) return;
  for (double value : {face.box->x, face.box->y}) require_finite(where, "bbox", value);
  for (double value : {face.box->width, face.box->height}) {
    if (!(value > 0) || !std::isfinite(value)) {
      fail(where, "bbox: expected a width and a height above 0, found " + std::to_string(value));
    }
  }
}

std::string identity_of(const AnnotatedFace& face, const Rect& box) {
  std::string key = face.image;
  char bytes[sizeof box];
  std::memcpy(bytes, &box, sizeof box);
  key.push_back('\0');
  key.append(bytes, sizeof bytes);
  return key;
}

}  // namespace

void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::bad_data, where + ": " + what);
}

FaceCollector::FaceCollector(FaceList& list, const ReadOptions& options) : list_(list), options_(options) {
  int largest = 0;
  for (const std::span<const int> ids : databases())
    for (const int id : ids) largest = std::max(largest, id);
  known_.resize(static_cast<std::size_t>(largest) + 1);
  seen_in_.resize(known_.size());
  for (const std::span<const int> ids : databases())
    for (const int id : ids) known_[static_cast<std::size_t>(id)] = 1;
}

std::vector<std::span<const int>> FaceCollector::databases() const {
  if (options_.any_of.empty()) return {options_.database_ids};
  return {options_.any_of.begin(), options_.any_of.end()};
}

std::string FaceCollector::landmark_counts() const {
  std::vector<std::string> counts;
  for (const std::span<const int> ids : databases())
    if (const std::string count = std::to_string(ids.size());
        std::ranges::find(counts, count) == counts.end())
      counts.push_back(count);
  return base::join(counts, " or ");
}

std::span<const int> FaceCollector::ids_for(const std::string& where, std::size_t landmarks) const {
  for (const std::span<const int> ids : databases())
    if (ids.size() == landmarks) return ids;
  fail(where, base::concat("expected ", landmark_counts(), " landmarks, found ", landmarks));
}

void FaceCollector::check_ids(const std::string& where, const AnnotatedFace& face) {
  ++serial_;
  for (int id : face.ids) {
    const auto slot = static_cast<std::size_t>(id);
    if (id < 0 || slot >= known_.size() || !known_[slot]) {
      fail(where, "ids: the database has no landmark " + std::to_string(id));
    }
    if (seen_in_[slot] == serial_) fail(where, "ids: landmark " + std::to_string(id) + " is listed twice");
    seen_in_[slot] = serial_;
  }
}

void FaceCollector::take(const std::string& where, AnnotatedFace face) {
  const std::string place = where + " (" + base::printable(face.image) + ")";
  if (face.image.empty()) fail(where, "imgpath: expected the name of a picture, found nothing");
  if (face.visible.empty()) face.visible.assign(face.ids.size(), 1.0);
  require_length(place, "landmarks", face.landmarks.size(), face.ids.size());
  require_length(place, "visible", face.visible.size(), face.ids.size());
  if (!face.uncertainty.empty())
    require_length(place, "uncertainty", face.uncertainty.size(), face.ids.size());
  check_ids(place, face);
  check_numbers(place, face);
  const std::optional<Rect> box = box_of(face);
  if (box && !faces_seen_.insert(identity_of(face, *box)).second) {
    fail(place, "this image is listed twice with the same box");
  }
  list_.faces.push_back(std::move(face));
}

void FaceCollector::refuse(const Error& error) {
  if (!options_.on_bad_record || error.code() != ErrorCode::bad_data) throw error;
  ++list_.skipped;
  options_.on_bad_record(error.what());
}

std::string frame_name(long long number) { return base::concat("frame", number); }

double parse_number(const std::string& where, std::string_view field, std::string_view text) {
  const std::optional<double> value = base::parse_double(text);
  if (!value || !std::isfinite(*value)) {
    fail(where, base::concat(field, ": expected a finite number, found '", base::printable(text), "'"));
  }
  return *value;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines = base::split(text, '\n');
  for (std::string_view& line : lines) {
    if (line.ends_with('\r')) line.remove_suffix(1);
  }
  return lines;
}

}  // namespace spiga::annotations
