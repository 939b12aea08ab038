// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/video_frames.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "base/text.h"
#include "media/picture_header.h"
#include "media/picture_reader.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;

constexpr int kLargestSide = 65500;
constexpr long long kMostPixels = 256'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A pattern's text before and after its number, and how many digits that has at least.
struct Pattern {
  std::string before;
  std::string after;
};

std::optional<Pattern> parse_pattern(std::string_view name) {
  const std::size_t percent = name.find('%');
  if (percent == std::string_view::npos) return std::nullopt;
  std::size_t end = percent + 1;
  while (end < name.size() && is_digit(name[end])) ++end;
  if (end == name.size() || name[end] != 'd' || name.find('%', end) != std::string_view::npos)
    return std::nullopt;
  return Pattern{std::string(name.substr(0, percent)), std::string(name.substr(end + 1))};
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder, error))
    entries.push_back(folder / entry.path().filename());
  if (error)
    throw Error(ErrorCode::not_found, folder.string() + ": cannot read the folder: " + error.message());
  return entries;
}

// Numbers within names compare as numbers, other text as bytes.
bool comes_before(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      std::size_t a_end = i, b_end = j;
      while (a_end < a.size() && is_digit(a[a_end])) ++a_end;
      while (b_end < b.size() && is_digit(b[b_end])) ++b_end;
      while (i < a_end && a[i] == '0') ++i;
      while (j < b_end && b[j] == '0') ++j;
      if (a_end - i != b_end - j) return a_end - i < b_end - j;
      const int order = a.compare(i, a_end - i, b, j, b_end - j);
      if (order != 0) return order < 0;
      i = a_end;
      j = b_end;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
    }
  }
  return a.size() - i != b.size() - j ? a.size() - i < b.size() - j : a < b;
}

class SequenceSource : public VideoSource {
 public:
  SequenceSource(const std::string& name, std::vector<fs::path> pictures, double fps)
      : pictures_(std::move(pictures)) {
    info_ = {name, fps, static_cast<std::int64_t>(pictures_.size()), false};
  }

  const VideoInfo& info() const override { return info_; }

  std::optional<Frame> next() override {
    return next_of([](std::int64_t, double) { return FrameVerdict::take; });
  }

  std::optional<Frame> next_of(const FrameChoice& choice) override {
    while (next_ < pictures_.size()) {
      const auto index = static_cast<std::int64_t>(next_);
      const double time_s = static_cast<double>(index) / info_.fps;
      const fs::path& path = pictures_[next_++];
      const FrameVerdict verdict = choice(index, time_s);
      if (verdict == FrameVerdict::end) break;
      if (verdict == FrameVerdict::pass_over) continue;
      try {
        return Frame{index, time_s, read_picture(path)};
      } catch (const Error& error) {
        problems_.push_back(error.what());
      }
    }
    return std::nullopt;
  }

  std::vector<std::string> problems() const override { return problems_; }

 private:
  VideoInfo info_;
  std::vector<fs::path> pictures_;
  std::size_t next_ = 0;
  std::vector<std::string> problems_;
};

class RawSource : public VideoSource {
 public:
  RawSource(const RawFormat& format, double fps, int descriptor, std::function<bool()> stop)
      : format_(format), descriptor_(descriptor), stop_(std::move(stop)) {
    info_ = {"standard input", fps, std::nullopt, false};
    frame_.resize(static_cast<std::size_t>(format.width) * format.height * channels_of(format.format));
  }

  const VideoInfo& info() const override { return info_; }

  std::optional<Frame> next() override {
    const std::size_t got = fill();
    if (got < frame_.size()) {
      if (got > 0 && !stop_())
        problems_.push_back(base::concat(info_.name, ": ends within frame ", frames_, ": expected ",
                                         frame_.size(), " bytes, found ", got));
      return std::nullopt;
    }
    const std::int64_t index = frames_++;
    return Frame{index, static_cast<double>(index) / info_.fps, to_bgr()};
  }

  std::vector<std::string> problems() const override { return problems_; }

 private:
  // Bytes read: fewer than a frame's at the end.
  std::size_t fill() {
    std::size_t got = 0;
    while (got < frame_.size() && !stop_()) {
      pollfd waiting = {descriptor_, POLLIN, 0};
      if (::poll(&waiting, 1, 100) <= 0) continue;
      const ssize_t now = ::read(descriptor_, frame_.data() + got, frame_.size() - got);
      if (now < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (now < 0) throw Error(ErrorCode::io, info_.name + ": cannot read: " + std::strerror(errno));
      if (now == 0) break;
      got += static_cast<std::size_t>(now);
    }
    return got;
  }

  Image to_bgr() const {
    Image image(format_.width, format_.height, PixelFormat::bgr8);
    const int channels = channels_of(format_.format);
    if (format_.format == PixelFormat::bgr8) {
      std::ranges::copy(frame_, image.data());
      return image;
    }
    const bool reversed = format_.format == PixelFormat::rgb8 || format_.format == PixelFormat::rgba8;
    const int blue = reversed ? 2 : 0, green = channels == 1 ? 0 : 1, red = channels == 1 || reversed ? 0 : 2;
    const std::uint8_t* from = frame_.data();
    std::uint8_t* to = image.data();
    for (std::size_t i = 0; i < frame_.size(); i += channels, from += channels, to += 3) {
      to[0] = from[blue];
      to[1] = from[green];
      to[2] = from[red];
    }
    return image;
  }

  RawFormat format_;
  VideoInfo info_;
  int descriptor_;
  std::function<bool()> stop_;
  std::vector<std::uint8_t> frame_;
  std::int64_t frames_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace

bool is_frame_pattern(std::string_view name) { return parse_pattern(name).has_value(); }

std::vector<fs::path> pictures_of_pattern(const std::string& pattern) {
  const fs::path path = pattern;
  const std::optional<Pattern> parts = parse_pattern(path.filename().string());
  if (!parts)
    throw Error(ErrorCode::invalid_argument,
                pattern + ": expected the number in the file's name, not in a folder's");
  std::map<long long, fs::path> numbered;
  for (const fs::path& entry : entries_of(path.parent_path())) {
    const std::string name = entry.filename().string();
    if (name.size() <= parts->before.size() + parts->after.size() || !name.starts_with(parts->before) ||
        !name.ends_with(parts->after))
      continue;
    const std::string digits =
        name.substr(parts->before.size(), name.size() - parts->before.size() - parts->after.size());
    const auto number = base::parse_int(digits);
    if (number && std::ranges::all_of(digits, is_digit)) numbered.emplace(*number, entry);
  }
  if (numbered.empty()) throw Error(ErrorCode::not_found, pattern + ": no file has such a name");
  std::vector<fs::path> pictures;
  for (const auto& [number, picture] : numbered) pictures.push_back(picture);
  return pictures;
}

std::vector<fs::path> pictures_of_folder(const std::string& folder) {
  std::vector<fs::path> pictures = entries_of(folder);
  std::erase_if(pictures, [](const fs::path& path) {
    const std::string name = path.filename().string();
    return name.starts_with('.') || !has_picture_extension(name);
  });
  if (pictures.empty()) throw Error(ErrorCode::not_found, folder + ": there are no pictures in the folder");
  std::ranges::sort(pictures, comes_before, [](const fs::path& path) { return path.filename().string(); });
  return pictures;
}

std::unique_ptr<VideoSource> make_sequence_source(const std::string& name, std::vector<fs::path> pictures,
                                                  double fps) {
  return std::make_unique<SequenceSource>(name, std::move(pictures), fps);
}

RawFormat parse_raw_format(std::string_view name) {
  static const std::map<std::string_view, PixelFormat> formats = {{"bgr8", PixelFormat::bgr8},
                                                                  {"rgb8", PixelFormat::rgb8},
                                                                  {"bgra8", PixelFormat::bgra8},
                                                                  {"rgba8", PixelFormat::rgba8},
                                                                  {"gray8", PixelFormat::gray8}};
  const std::vector<std::string_view> parts = base::split(name, ':');
  const std::vector<std::string_view> sides = parts.size() >= 2 ? base::split(parts[1], 'x') : parts;
  const auto side = [&](std::size_t i) { return base::parse_int(sides[i]).value_or(0); };
  const bool sizes = sides.size() == 2 && side(0) > 0 && side(1) > 0 && side(0) <= kLargestSide &&
                     side(1) <= kLargestSide && side(0) * side(1) <= kMostPixels;
  const bool known = parts.size() == 2 || (parts.size() == 3 && formats.contains(parts[2]));
  if (!sizes || !known)
    throw Error(
        ErrorCode::invalid_argument,
        base::concat("expected raw:WIDTHxHEIGHT or raw:WIDTHxHEIGHT:FORMAT with bgr8, rgb8, bgra8, rgba8 or "
                     "gray8, found '",
                     base::printable(name), "'"));
  return {static_cast<int>(side(0)), static_cast<int>(side(1)),
          parts.size() == 3 ? formats.at(parts[2]) : PixelFormat::bgr8};
}

std::unique_ptr<VideoSource> open_raw_frames(const RawFormat& format, double fps, int descriptor,
                                             std::function<bool()> stop) {
  return std::make_unique<RawSource>(format, fps, descriptor, std::move(stop));
}

}  // namespace spiga::media
