// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/video_analyzer.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/ordered_workers.h"
#include "base/text.h"
#include "media/frame_reader.h"
#include "spiga/error.h"
#include "vision/detector_passes.h"

namespace spiga::media {
namespace {

using SharedFrame = std::shared_ptr<const Frame>;
using Detections = std::vector<Detection>;

// So many frames before a frame is followed, the detector starts on it.
constexpr int kFramesAhead = 4;
// Frames that are followed and wait to be taken.
constexpr std::size_t kFramesBehind = 4;

// Runs a detector in a thread of its own, on one frame at a time. Always the same thread: with a new one for
// each frame, memory grew by a kilobyte a time.
class BackgroundDetector {
 public:
  explicit BackgroundDetector(Analyzer analyzer) : analyzer_(std::move(analyzer)) {
    options_.threads = 1;  // the network that follows faces has the others
    detector_ = analyzer_.make_detector(options_);
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }

  void start(std::int64_t number, SharedFrame frame, std::vector<Box> occupied) {
    number_ = number;
    Job job = {std::move(frame), std::move(occupied), {}};
    result_ = job.answer.get_future();
    {
      const std::lock_guard lock(mutex_);
      job_ = std::move(job);
    }
    wake_.notify_one();
  }

  bool busy() const { return result_.valid(); }
  // Of which frame.
  std::int64_t number() const { return number_; }
  bool ready() const { return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  Detections take() { return result_.get(); }

 private:
  struct Job {
    SharedFrame frame;
    std::vector<Box> occupied;
    std::promise<Detections> answer;
  };

  void work(const std::stop_token& stop) {
    for (;;) {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return job_.has_value(); })) return;
      Job job = std::move(*job_);
      job_.reset();
      lock.unlock();
      try {
        job.answer.set_value(detect(job));
      } catch (...) {
        job.answer.set_exception(std::current_exception());
      }
    }
  }

  Detections detect(const Job& job) {
    const ImageView image = job.frame->picture.view();
    fit_to(image.width, image.height);
    return detect_around(*detector_, image, job.occupied);
  }

  // Efforts count in shares of the whole picture, not of the region that is looked at.
  void fit_to(int width, int height) {
    if (!detector_->prefers_parts() || (width == width_ && height == height_)) return;
    DetectorOptions options = options_;
    options.min_face_px = static_cast<float>(vision::smallest_face(options_, width, height));
    detector_ = analyzer_.make_detector(options);
    width_ = width;
    height_ = height;
  }

  Analyzer analyzer_;
  DetectorOptions options_ = analyzer_.detector_options();
  std::unique_ptr<Detector> detector_;
  int width_ = 0;
  int height_ = 0;
  std::int64_t number_ = 0;
  std::future<Detections> result_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<Job> job_;
  std::jthread thread_;  // last: it ends before the rest goes
};

// What went wrong, one line each; of very many only the first are kept, and counted.
class Problems {
 public:
  void add(std::string line) {
    if (++count_ <= kMostLines) lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all = lines_;
    if (count_ > kMostLines) all.push_back(base::concat(count_ - kMostLines, " more boxes cannot be used"));
    return all;
  }

 private:
  static constexpr std::size_t kMostLines = 100;
  std::vector<std::string> lines_;
  std::size_t count_ = 0;
};

// Follows faces through the frames of a reader; all its functions are called by one thread.
class Follower {
 public:
  Follower(VideoSource& source, const std::function<bool()>& stop, const Analyzer& analyzer,
           const VideoAnalyzerOptions& options)
      : live_(source.info().live),
        ahead_(live_ ? 0 : static_cast<std::size_t>(std::min(kFramesAhead, options.tracker.detect_every))),
        boxes_(options.boxes),
        tracker_(analyzer.landmarker(), options.tracker),
        reader_(make_frame_reader(source, stop)) {
    if (!boxes_) detector_.emplace(analyzer);
  }

  // The next frame to follow.
  std::optional<SharedFrame> take() {
    const bool first = followed_ == 0;
    while (waiting_.size() <= ahead_ && !ended_) {
      SharedFrame frame = reader_->next();
      ended_ = frame == nullptr;
      if (frame) waiting_.push_back(std::move(frame));
    }
    if (waiting_.empty()) return std::nullopt;
    SharedFrame frame = std::move(waiting_.front());
    waiting_.pop_front();
    if (first || live_) run_detector(frame, 0);
    return frame;
  }

  std::vector<std::string> problems() const { return problems_.lines(); }

  AnalyzedFrame follow(const SharedFrame& frame) {
    const Image& picture = frame->picture;
    AnalyzedFrame result = {{frame->index, frame->time_s, picture.width(), picture.height(), {}},
                            {frame, &frame->picture}};
    result.faces.faces = tracker_.next(picture.view(), frame->time_s, detections(*frame));
    ++followed_;
    if (ahead_ > 0 && waiting_.size() == ahead_) run_detector(waiting_.back(), static_cast<int>(ahead_) - 1);
    return result;
  }

 private:
  // `ahead`: frames between the one that is followed next and this one.
  void run_detector(const SharedFrame& frame, int ahead) {
    if (!detector_ || detector_->busy() || !tracker_.detector_is_due(ahead)) return;
    const std::int64_t number = followed_ + ahead;
    detector_->start(number, frame, number == 0 ? std::vector<Box>() : tracker_.occupied());
  }

  Detections detections(const Frame& frame) {
    if (boxes_) return given_boxes(frame);
    if (!detector_->busy()) return {};
    const bool due = live_ ? detector_->ready() : detector_->number() == followed_;
    return due ? detector_->take() : Detections();
  }

  // Those of the table in which a face can be looked for; the others become problems.
  Detections given_boxes(const Frame& frame) {
    Detections usable;
    for (const Detection& given : boxes_->at(frame.index)) {
      try {
        check_box(given.box, frame.picture.view());
        usable.push_back(given);
      } catch (const Error& error) {
        problems_.add(base::concat(boxes_->file().string(), ": frame ", frame.index, ": ", error.what()));
      }
    }
    return usable;
  }

  bool live_;
  std::size_t ahead_;
  Problems problems_;
  std::shared_ptr<const FrameBoxes> boxes_;
  std::optional<BackgroundDetector> detector_;
  FaceTracker tracker_;
  std::unique_ptr<FrameReader> reader_;
  std::deque<SharedFrame> waiting_;  // read, not yet followed
  std::int64_t followed_ = 0;        // frames so far, counted without gaps
  bool ended_ = false;
};

}  // namespace

struct VideoAnalyzer::Impl {
  Impl(std::unique_ptr<VideoSource> from, const Analyzer& analyzer, const VideoAnalyzerOptions& options,
       std::function<bool()> stop)
      : source(std::move(from)),
        follower(*source, stop, analyzer, options),
        frames([this] { return follower.take(); },
               {[this](const SharedFrame& frame) { return follower.follow(frame); }}, kFramesBehind) {}

  std::unique_ptr<VideoSource> source;
  Follower follower;
  base::OrderedWorkers<SharedFrame, AnalyzedFrame> frames;
};

VideoAnalyzer::VideoAnalyzer(std::unique_ptr<VideoSource> source, const Analyzer& analyzer,
                             const VideoAnalyzerOptions& options, std::function<bool()> stop)
    : impl_(std::make_unique<Impl>(std::move(source), analyzer, options, std::move(stop))) {}
VideoAnalyzer::~VideoAnalyzer() = default;

std::optional<AnalyzedFrame> VideoAnalyzer::next() { return impl_->frames.next(); }

std::vector<std::string> VideoAnalyzer::problems() const {
  std::vector<std::string> all = impl_->source->problems();
  const std::vector<std::string> boxes = impl_->follower.problems();
  all.insert(all.end(), boxes.begin(), boxes.end());
  return all;
}

}  // namespace spiga::media
