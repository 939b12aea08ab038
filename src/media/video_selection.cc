// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/numbers.h"
#include "base/text.h"
#include "media/video_source.h"

namespace spiga::media {
namespace {

class SelectedFrames : public VideoSource {
 public:
  SelectedFrames(std::unique_ptr<VideoSource> source, const FrameSelection& selection,
                 std::function<bool()> stop)
      : source_(std::move(source)), selection_(selection), stop_(std::move(stop)), info_(source_->info()) {
    if (info_.frames) info_.frames = expected(*info_.frames);
    info_.fps /= selection_.every;
  }

  const VideoInfo& info() const override { return info_; }

  std::optional<Frame> next() override {
    std::optional<Frame> frame =
        source_->next_of([this](std::int64_t index, double time_s) { return verdict(index, time_s); });
    ended_ = !frame;
    return frame;
  }

  std::vector<std::string> problems() const override {
    std::vector<std::string> problems = source_->problems();
    if (ended_ && first_ < 0 && last_s_ >= 0)
      problems.push_back(base::concat(info_.name, ": expected frames from ",
                                      base::compact(selection_.start_s, 3), " s on, the last one is at ",
                                      base::fixed(last_s_, 3), " s"));
    return problems;
  }

 private:
  FrameVerdict verdict(std::int64_t index, double time_s) {
    if (stop_ && stop_()) return FrameVerdict::end;
    last_s_ = time_s;
    if (selection_.end_s && time_s >= *selection_.end_s) return FrameVerdict::end;
    if (time_s < selection_.start_s) return FrameVerdict::pass_over;
    if (first_ < 0) first_ = index;
    return (index - first_) % selection_.every == 0 ? FrameVerdict::take : FrameVerdict::pass_over;
  }

  // How many frames of so many are probably selected.
  std::int64_t expected(std::int64_t frames) const {
    const double fps = info_.fps, most = static_cast<double>(frames);
    const double first = std::clamp(std::ceil(selection_.start_s * fps), 0.0, most);
    const double end = selection_.end_s ? std::clamp(std::ceil(*selection_.end_s * fps), first, most) : most;
    return (static_cast<std::int64_t>(end - first) + selection_.every - 1) / selection_.every;
  }

  std::unique_ptr<VideoSource> source_;
  FrameSelection selection_;
  std::function<bool()> stop_;
  VideoInfo info_;
  std::int64_t first_ = -1;  // number of the first frame that was taken
  double last_s_ = -1;       // time of the last frame looked at
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<VideoSource> select_frames(std::unique_ptr<VideoSource> source,
                                           const FrameSelection& selection, std::function<bool()> stop) {
  return std::make_unique<SelectedFrames>(std::move(source), selection, std::move(stop));
}

}  // namespace spiga::media
