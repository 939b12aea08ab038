// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/track_summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "charts/page.h"
#include "charts/plot.h"
#include "charts/svg.h"
#include "geometry/boxes.h"
#include "media/picture_writer.h"
#include "media/video_overlay.h"

namespace spiga::cli {
namespace {

using base::concat;
using charts::Coordinate;

constexpr std::size_t kMostSamples = 2000;
constexpr std::size_t kMostTracks = 200;  // on the page, the first ones
constexpr double kPortraitMargin = 1.5;
constexpr double kWidth = 860;

std::string css(const media::Colour& colour) {
  return concat("rgb(", int{colour.red}, ',', int{colour.green}, ',', int{colour.blue}, ')');
}

// The part of the picture around the box, about 150 to 300 pixels wide, black outside.
Image square_cut(const Image& picture, const Box& box) {
  const Box square = geometry::square_around(box, kPortraitMargin);
  const int step = std::max(1, static_cast<int>(square.width) / 150);
  const int side = std::max(1, static_cast<int>(square.width) / step);
  const int left = static_cast<int>(square.x), top = static_cast<int>(square.y);
  Image cut(side, side, PixelFormat::bgr8);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const int from_x = left + x * step, from_y = top + y * step;
      if (from_x < 0 || from_y < 0 || from_x >= picture.width() || from_y >= picture.height()) continue;
      const std::uint8_t* pixel = picture.data() + from_y * picture.stride_bytes() + 3 * from_x;
      std::copy(pixel, pixel + 3, cut.data() + y * cut.stride_bytes() + 3 * x);
    }
  }
  return cut;
}

std::string jpeg_tag(const Image& picture) {
  const std::vector<std::uint8_t> bytes = media::encode_picture(picture, ".jpg");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return concat("<img width=\"150\" height=\"150\" alt=\"\" src=\"data:image/jpeg;base64,",
                charts::base64(text), "\">");
}

}  // namespace

void TrackSummary::add(const media::AnalyzedFrame& frame) {
  ++frames_;
  end_s_ = frame.faces.time_s;
  for (const TrackedFace& face : frame.faces.faces) {
    const auto [entry, is_new] = tracks_.try_emplace(face.id);
    Track& track = entry->second;
    if (is_new) track.first_s = frame.faces.time_s;
    if (!face.found) {
      ++track.lost_frames;
      track.lost = true;
      continue;
    }
    ++track.frames;
    track.last_s = frame.faces.time_s;
    track.confidence += face.confidence;
    add_sample(track, frame.faces.time_s, face.face.headpose);
    take_portrait(track, *frame.picture, face);
  }
}

void TrackSummary::add_sample(Track& track, double time_s, const HeadPose& pose) {
  if ((track.frames - 1) % track.stride != 0) return;
  track.samples.push_back({time_s, pose, track.lost});
  track.lost = false;
  if (track.samples.size() <= kMostSamples) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < track.samples.size(); i += 2) {
    Sample sample = track.samples[i];
    sample.gap = sample.gap || (i > 0 && track.samples[i - 1].gap);
    track.samples[kept++] = sample;
  }
  track.samples.resize(kept);
  track.stride *= 2;
}

void TrackSummary::take_portrait(Track& track, const Image& picture, const TrackedFace& face) const {
  const HeadPose& pose = face.face.headpose;
  const double turn = std::abs(pose.yaw_deg) + std::abs(pose.pitch_deg) + 0.5 * std::abs(pose.roll_deg);
  if (!(turn + 1 < track.portrait_turn_deg)) return;
  track.portrait = square_cut(picture, face.face.box);
  track.portrait_turn_deg = turn;
}

std::string TrackSummary::pose_plot(int id, const Track& track) const {
  double reach = 30;
  for (const Sample& s : track.samples)
    reach = std::max({reach, double{std::abs(s.pose.yaw_deg)}, double{std::abs(s.pose.pitch_deg)},
                      double{std::abs(s.pose.roll_deg)}});
  reach = std::min(180.0, 15 * std::ceil(reach / 15));
  charts::Plot plot(kWidth, 240, concat("Head pose of face ", id), {"time (s)", 0, std::max(end_s_, 0.1)},
                    {"degrees", -reach, reach});
  const std::array<std::pair<const char*, float HeadPose::*>, 3> angles = {
      {{"yaw", &HeadPose::yaw_deg}, {"pitch", &HeadPose::pitch_deg}, {"roll", &HeadPose::roll_deg}}};
  for (std::size_t i = 0; i < angles.size(); ++i) {
    std::vector<Coordinate> piece;
    std::string_view name = angles[i].first;
    const auto draw = [&] {
      if (!piece.empty()) plot.curve(piece, charts::palette(i), std::exchange(name, ""));
      piece.clear();
    };
    for (const Sample& sample : track.samples) {
      if (sample.gap) draw();
      piece.push_back({sample.time_s, sample.pose.*angles[i].second});
    }
    draw();
  }
  return std::move(plot).finish();
}

// A bar for each face, from its first to its last frame.
std::string TrackSummary::timeline() const {
  constexpr double kRow = 20, kLeft = 54;
  const double span = std::max(end_s_, 0.1), width = kWidth - kLeft - 16;
  const double rows = static_cast<double>(std::min(tracks_.size(), kMostTracks));
  charts::Svg svg(kWidth, kRow * rows + 30, "When each face was there");
  for (const double tick : charts::ticks(0, span, 8)) {
    const double x = kLeft + width * tick / span;
    svg.line({x, 0}, {x, kRow * rows + 4}, R"(class="grid")");
    svg.text({x, kRow * rows + 18}, concat(charts::number(tick, 2), " s"),
             R"(class="tick" text-anchor="middle")");
  }
  double y = 0;
  for (const auto& [id, track] : tracks_) {
    if (y >= kRow * rows) break;
    const double from = kLeft + width * track.first_s / span, to = kLeft + width * track.last_s / span;
    svg.text({kLeft - 8, y + 14}, concat("face ", id), R"(class="tick" text-anchor="end")");
    svg.rect(
        from, y + 4, std::max(2.0, to - from), kRow - 7,
        concat("fill=\"", css(media::colour_of_id(id)), "\" stroke=\"#555\" stroke-width=\"0.5\" rx=\"2\""));
    y += kRow;
  }
  return std::move(svg).finish();
}

std::string TrackSummary::track_section(int id, const Track& track) const {
  const double shown = static_cast<double>(std::max<std::int64_t>(track.frames, 1));
  return concat("<h2>Face ", id, "</h2>\n<p class=\"lead\">", charts::fixed(track.first_s, 2), " s to ",
                charts::fixed(track.last_s, 2), " s: ", track.frames, " frames",
                track.lost_frames > 0 ? ", lost in " : "",
                track.lost_frames > 0 ? std::to_string(track.lost_frames) : "", "; mean confidence ",
                charts::fixed(track.confidence / shown, 2), "</p>\n<div class=\"row\"><figure>",
                jpeg_tag(track.portrait), "</figure><figure>", pose_plot(id, track), "</figure></div>\n");
}

std::string TrackSummary::html() const {
  const std::string title = "Faces of " + name_;
  std::string page = concat("<p class=\"lead\">", frames_, " frames, ", charts::fixed(end_s_, 2), " s, ",
                            tracks_.size(), tracks_.size() == 1 ? " face" : " faces", "; ",
                            database_.landmarks, " landmarks of ", database_.name, "</p>\n");
  page += tracks_.empty() ? "<p>No face was found.</p>\n" : timeline();
  std::size_t sections = 0;
  for (const auto& [id, track] : tracks_) {
    if (track.samples.empty()) continue;
    if (++sections > kMostTracks) break;
    page += track_section(id, track);
  }
  return charts::html_page(title, page);
}

}  // namespace spiga::cli
