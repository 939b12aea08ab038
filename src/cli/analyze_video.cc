// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/analyze_video.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <filesystem>
#include <memory>

#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/shared_options.h"
#include "cli/video_outputs.h"
#include "media/video_analyzer.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

media::VideoAnalyzerOptions follow_options(const AnalyzeOptions& options, const VideoOptions& video,
                                           std::vector<std::string>& problems) {
  media::VideoAnalyzerOptions analyzer;
  analyzer.tracker = video.tracker;
  analyzer.tracker.max_faces = options.max_faces;
  analyzer.tracker.quality = options.quality.value_or(Quality::fast);
  if (!options.boxes.empty())
    analyzer.boxes = std::make_shared<media::FrameBoxes>(
        options.boxes, [&problems](const std::string& problem) { problems.push_back(problem); });
  return analyzer;
}

// Unless told otherwise, one processor is left to decoding and detecting: where the network's threads wait
// for one that lost its processor, all are slow.
int network_threads(const NetworkOptions& options) {
  return options.threads > 0 ? options.threads : std::max(1, options.thread_count() - 1);
}

// Takes frames and writes them until the video ends, the user stops it, or something gives out.
class Run {
 public:
  Run(const AnalyzeOptions& options, const VideoOptions& video, std::atomic<bool>& stop) : stop_(stop) {
    const Analyzer analyzer = load_analyzer(options, network_threads(options.network));
    std::unique_ptr<media::VideoSource> source =
        media::open_video(options.inputs.front(),
                          {.fps = video.fps,
                           .sequence = video.sequence,
                           .stop = asked_to_stop(),
                           .reconnect = std::chrono::milliseconds(std::llround(1000 * video.reconnect_s)),
                           .frames = video.frames});
    const media::VideoInfo info = source->info();
    outputs_ = std::make_unique<VideoOutputs>(options, video, info, analyzer.landmarker());
    progress_ = std::make_unique<Progress>("frames", info.frames);
    analyzer_ = std::make_unique<media::VideoAnalyzer>(
        std::move(source), analyzer, follow_options(options, video, table_problems_), asked_to_stop());
    for (const std::string& problem : table_problems_) print_error(problem.c_str());
  }

  // Whatever ends it, outputs are finished.
  void run() {
    std::exception_ptr failure;
    try {
      while (const std::optional<media::AnalyzedFrame> frame = analyzer_->next()) {
        if (!outputs_->write(*frame)) break;
        progress_->advance(++frames_);
      }
    } catch (...) {
      failure = std::current_exception();
    }
    stop_ = true;
    try {
      outputs_->finish();
    } catch (...) {
      if (!failure) failure = std::current_exception();  // the first one is the one to tell
    }
    progress_->wipe();
    if (failure) std::rethrow_exception(failure);
  }

  std::size_t frames() const { return frames_; }
  // Prints what went wrong without ending the video. Whether anything did.
  bool tell_problems() const {
    std::vector<std::string> problems = analyzer_->problems();
    const std::vector<std::string> of_outputs = outputs_->problems();
    problems.insert(problems.end(), of_outputs.begin(), of_outputs.end());
    for (const std::string& problem : problems) print_error(problem.c_str());
    return !problems.empty() || !table_problems_.empty();
  }

 private:
  std::function<bool()> asked_to_stop() {
    return [this] { return stop_ || interrupted(); };
  }

  std::atomic<bool>& stop_;
  std::size_t frames_ = 0;
  std::vector<std::string> table_problems_;
  std::unique_ptr<VideoOutputs> outputs_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<media::VideoAnalyzer> analyzer_;  // last: its threads end first
};

}  // namespace

bool is_video(const AnalyzeOptions& options, const VideoOptions& video) {
  bool any = video.sequence;
  for (const std::string& input : options.inputs) any = any || media::names_a_video(input);
  if (any && options.inputs.size() > 1)
    throw Error(ErrorCode::invalid_argument,
                "analyze: several videos need --out DIR; without it, name one video, or pictures");
  if (any && !options.face3d.mesh.empty())
    throw Error(ErrorCode::invalid_argument, "analyze: --mesh is for pictures");
  if (!any && !options.face3d.send.empty())
    throw Error(ErrorCode::invalid_argument,
                "analyze: --send is for videos; a folder is one with --sequence");
  if (!any && (video.show || !video.summary.empty()))
    throw Error(ErrorCode::invalid_argument,
                "analyze: --show and --summary are for videos; a folder is one with --sequence");
  if (!any && !video.frames.all())
    throw Error(ErrorCode::invalid_argument,
                "analyze: --start, --end and --every are for videos; a folder is one with --sequence");
  return any;
}

int analyze_video(const AnalyzeOptions& options, const VideoOptions& video) {
  catch_interrupts();
  std::atomic<bool> stop = false;
  Run run(options, video, stop);
  run.run();
  if (interrupted()) {
    print_error(("interrupted after " + std::to_string(run.frames()) + " frames; they are written").c_str());
    return kInterrupted;
  }
  return run.tell_problems() ? kSomeFailed : kDone;
}

void add_video_options(CLI::App& command, VideoOptions& options) {
  const std::string group = "Videos";
  command.add_flag("--sequence", options.sequence, "A folder's pictures are the frames of one video")
      ->group(group);
  command
      .add_option_function<std::string>(
          "--start",
          [&options](const std::string& text) { options.frames.start_s = parse_moment("--start", text); },
          "Begin at this time: seconds, m:s or h:m:s")
      ->type_name("T")
      ->group(group);
  command
      .add_option_function<std::string>(
          "--end",
          [&options](const std::string& text) { options.frames.end_s = parse_moment("--end", text); },
          "End before this time: seconds, m:s or h:m:s")
      ->type_name("T")
      ->group(group);
  command.add_option("--every", options.frames.every, "Take one frame in N")
      ->type_name("N")
      ->group(group)
      ->check(CLI::Range(1, 1000000).description(""))
      ->capture_default_str();
  command.add_option("--fps", options.fps, "Frames per second of pictures and raw frames [25]")
      ->type_name("F")
      ->group(group)
      ->check(CLI::Range(0.001, 1000.0).description(""));
  command
      .add_option("--reconnect", options.reconnect_s,
                  "Seconds for which a live stream that broke is opened again and again; 0 is not at all")
      ->type_name("S")
      ->group(group)
      ->check(CLI::Range(0.0, 86400.0).description(""))
      ->capture_default_str();
  command
      .add_option("--smooth", options.tracker.smooth, "How strongly trembling is taken out; 0 is not at all")
      ->type_name("S")
      ->group(group)
      ->check(CLI::Range(0.0, 10.0).description(""))
      ->capture_default_str();
  command
      .add_option("--detect-every", options.tracker.detect_every,
                  "Frames from one run of the detector to the next")
      ->type_name("N")
      ->group(group)
      ->check(CLI::Range(1, 100000).description(""))
      ->capture_default_str();
  command.add_flag("--show", options.show, "Show the video with what was found; q ends it")->group(group);
  command.add_option("--summary", options.summary, "Write a page with each face's head pose over time")
      ->type_name("HTML")
      ->group(group);
}

}  // namespace spiga::cli
