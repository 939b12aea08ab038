// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/analyze_many.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iostream>
#include <memory>
#include <new>
#include <unordered_map>

#include "base/file.h"
#include "base/numbers.h"
#include "base/ordered_workers.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/result_set.h"
#include "cli/run_progress.h"
#include "cli/video_outputs.h"
#include "media/openface_text.h"
#include "media/picture_analyzer.h"
#include "media/picture_sources.h"
#include "media/video_analyzer.h"
#include "spiga/default_files.h"
#include "spiga/error.h"
#include "spiga/version.h"

namespace spiga::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMostJobs = 256;
// Lines of the table of what failed.
constexpr std::size_t kMostFailures = 1000;

using Settings = std::map<std::string, std::string>;

std::string on_off(bool value) { return value ? "on" : "off"; }
std::string number(double value) { return base::compact(value, 6); }
std::string digest_of(const std::string& file) { return file.empty() ? "" : base::sha256_of_file(file); }

std::string detector_file(const std::string& detector) {
  const std::size_t colon = detector.find(':');
  if (detector == "builtin") return default_detector_path();
  return colon == std::string::npos ? "" : detector.substr(colon + 1);
}

// A camera may be numbers or a file.
std::string camera_setting(const std::string& camera) {
  std::error_code ignored;
  return fs::is_regular_file(camera, ignored) ? base::sha256_of_file(camera) : camera;
}

std::string name_of_precision(Precision precision) {
  return precision == Precision::f32 ? "f32" : precision == Precision::bf16 ? "bf16" : "automatic";
}

std::string name_of_quality(const std::optional<Quality>& quality) {
  if (!quality) return "usual";
  return *quality == Quality::fast ? "fast" : *quality == Quality::normal ? "normal" : "best";
}

// All that decides about results but the input: what a manifest keeps.
Settings settings_of(const AnalyzeOptions& options, const VideoOptions& video, const ManyOptions& many) {
  const AnalyzerOptions& analyzer = options.analyzer;
  Settings settings = {
      {"write", many.write},
      {"csv_style", options.openface ? "openface" : "spiga"},
      {"rows", options.all_rows ? (*options.all_rows ? "all" : "faces") : "usual"},
      {"model_sha256", digest_of(options.network.model_path())},
      {"detector", options.boxes.empty() ? analyzer.detector.substr(0, analyzer.detector.find(':')) : ""},
      {"detector_sha256", options.boxes.empty() ? digest_of(detector_file(analyzer.detector)) : ""},
      {"boxes_sha256", base::is_folder(options.boxes.empty() ? "." : options.boxes)
                           ? options.boxes
                           : digest_of(options.boxes)},
      {"detector_effort", std::to_string(static_cast<int>(analyzer.effort))},
      {"min_face", number(analyzer.min_face_px)},
      {"min_score", number(analyzer.score_threshold)},
      {"quality", name_of_quality(options.quality)},
      {"precision", name_of_precision(options.network.precision)},
      {"batch", std::to_string(options.network.batch)},
      {"max_faces", std::to_string(options.max_faces)},
      {"smooth", number(video.tracker.smooth)},
      {"detect_every", std::to_string(video.tracker.detect_every)},
      {"start", number(video.frames.start_s)},
      {"end", video.frames.end_s ? number(*video.frames.end_s) : ""},
      {"every", std::to_string(video.frames.every)}};
  if (options.face3d.wanted()) {
    settings["face3d_sha256"] = digest_of(default_head_path());
    settings["camera"] = camera_setting(options.face3d.camera);
    settings["fov"] = number(options.face3d.fov_deg);
    settings["overlay_mesh"] = on_off(options.face3d.draw);
  }
  return settings;
}

// What became of an input.
struct Outcome {
  enum class State { done, complete, failed, stopped };
  State state = State::done;
  std::string input;
  std::string again;                  // why results that were there were done again
  std::vector<std::string> problems;  // of this run; of complete ones those of the run that made them
};

// What the workers share. All of it is const or safe from several threads.
struct Run {
  const AnalyzeOptions& options;
  const VideoOptions& video;
  const ManyOptions& many;
  ResultKinds kinds;
  Manifest wanted;  // version and options
  const Analyzer& analyzer;
  const media::FaceFitter* fitter;
  media::PictureAnalyzerOptions pictures;
  RunProgress& progress;
  Leftovers leftovers = {};
  std::atomic<bool> stop = false;

  bool stopped() const { return stop || interrupted(); }
};

// How many pictures and faces went into the results.
struct Counts {
  std::int64_t pictures = 0;
  std::int64_t faces = 0;
};

// Works on one input after another; one thread's.
class Worker {
 public:
  explicit Worker(Run& run) : run_(run) {}

  Outcome work(const media::PictureSource& source) {
    Outcome outcome;
    outcome.input = source.path;
    bytes_left_ = 0;
    try {
      if (!source.problem.empty()) throw Error(ErrorCode::not_found, source.problem);
      work(source, outcome);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::io) throw;
      fail(outcome, error.what());
    } catch (const std::bad_alloc&) {
      fail(outcome, source.path + ": not enough memory for this input");
    }
    if (outcome.state != Outcome::State::complete)
      for (const std::string& problem : outcome.problems) run_.progress.tell(problem);
    run_.progress.finish_input(bytes_left_, outcome.state == Outcome::State::complete);
    return outcome;
  }

 private:
  static void fail(Outcome& outcome, const std::string& why) {
    outcome.state = Outcome::State::failed;
    outcome.problems.push_back(why);
  }

  void work(const media::PictureSource& source, Outcome& outcome) {
    const ResultNames names(run_.many.out, source.relative);
    const FileStamp stamp = stamp_of(source.path);
    bytes_left_ = static_cast<double>(stamp.bytes);
    if (run_.many.resume && is_complete(source, names, outcome)) return;
    base::create_folders(names.folder());
    run_.leftovers.remove(names);
    std::error_code ignored;
    fs::remove(names.manifest(), ignored);  // from here on the set is not whole
    Counts counts;
    const bool whole = media::has_video_extension(source.path) ? follow(source, names, outcome, counts)
                                                               : look(source, names, outcome, counts);
    if (!whole) return;
    Manifest manifest = run_.wanted;
    manifest.input = source.relative.generic_string();
    manifest.bytes = stamp.bytes;
    manifest.modified_ns = stamp.modified_ns;
    manifest.sha256 = base::sha256_of_file(source.path);
    if (stamp_of(source.path) != stamp)
      throw Error(ErrorCode::bad_data, source.path + ": has changed while it was read");
    for (const fs::path& file : written_)
      if (fs::exists(file, ignored)) manifest.files[file.filename().string()] = base::file_size(file);
    manifest.pictures = counts.pictures;
    manifest.faces = counts.faces;
    manifest.problems = outcome.problems;
    write_manifest(names.manifest(), manifest);
  }

  bool is_complete(const media::PictureSource& source, const ResultNames& names, Outcome& outcome) const {
    try {
      const std::optional<Manifest> found = read_manifest(names.manifest());
      if (!found) return false;
      outcome.again = why_again(*found, run_.wanted, source.path, names.folder());
      if (!outcome.again.empty()) return false;
      outcome.state = Outcome::State::complete;
      outcome.problems = found->problems;
      return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::bad_data) throw;
      outcome.again = "results whose manifest cannot be read";
      return false;
    }
  }

  // A picture. False: it has no results.
  bool look(const media::PictureSource& source, const ResultNames& names, Outcome& outcome, Counts& counts) {
    if (!pictures_) pictures_ = std::make_unique<media::PictureAnalyzer>(run_.analyzer, run_.pictures);
    const bool png = source.relative.extension() == ".png";
    const fs::path overlay = run_.kinds.overlay ? names.overlay(png ? ".png" : ".jpg") : fs::path();
    media::AnalyzedPicture picture = pictures_->analyze(source.path, overlay);
    outcome.problems = std::move(picture.problems);
    if (!picture.faces) {
      outcome.state = Outcome::State::failed;
      return false;
    }
    media::PictureFaces& faces = *picture.faces;
    if (run_.fitter) faces.in_3d = run_.fitter->fitted(faces, outcome.problems);
    written_ = {overlay, names.lines(), names.csv()};
    std::string text;
    if (run_.kinds.lines) media::append_json_line(text, faces), base::write_file(names.lines(), text);
    text.clear();
    if (run_.kinds.csv) {
      append_table(text, faces);
      base::write_file(names.csv(), text);
    }
    counts = {1, std::ssize(faces.faces)};
    run_.progress.advance(bytes_left_);
    bytes_left_ = 0;
    return true;
  }

  void append_table(std::string& text, const media::PictureFaces& faces) const {
    const int landmarks = run_.analyzer.landmarker().landmark_count();
    if (run_.options.openface) {
      media::append_openface_header(text, false);
      media::append_openface_rows(text, faces);
    } else {
      media::append_csv_header(text, landmarks, run_.fitter != nullptr);
      media::append_csv_rows(text, faces, run_.options.all_rows.value_or(false) ? landmarks : 0);
    }
  }

  // A video. False: it was stopped.
  bool follow(const media::PictureSource& source, const ResultNames& names, Outcome& outcome,
              Counts& counts) {
    const auto stop = [this] { return run_.stopped(); };
    std::unique_ptr<media::VideoSource> video =
        media::open_video(source.path, {.stop = stop, .frames = run_.video.frames});
    const media::VideoInfo info = video->info();
    VideoOutputs outputs(options_of(names), video_of(names), info, run_.analyzer.landmarker());
    media::VideoAnalyzerOptions options = {.tracker = run_.video.tracker};
    options.tracker.quality = run_.options.quality.value_or(Quality::fast);
    options.tracker.max_faces = run_.options.max_faces;
    media::VideoAnalyzer analyzer(std::move(video), run_.analyzer, options, stop);
    const double share =
        info.frames ? bytes_left_ / static_cast<double>(std::max<std::int64_t>(*info.frames, 1)) : 0;
    while (const std::optional<media::AnalyzedFrame> frame = analyzer.next()) {
      outputs.write(*frame);
      ++counts.pictures;
      counts.faces +=
          std::ranges::count_if(frame->faces.faces, [](const TrackedFace& face) { return face.found; });
      const double done = std::min(share, bytes_left_);
      run_.progress.advance(done);
      bytes_left_ -= done;
    }
    if (run_.stopped()) {
      outcome.state = Outcome::State::stopped;
      return false;
    }
    outputs.finish();
    for (std::vector<std::string> more : {analyzer.problems(), outputs.problems()})
      for (std::string& problem : more)
        outcome.problems.push_back(problem.starts_with(source.path) ? problem : source.path + ": " + problem);
    written_ = {names.lines(), names.csv(), names.overlay(".mp4"), names.summary()};
    return true;
  }

  AnalyzeOptions options_of(const ResultNames& names) const {
    AnalyzeOptions options = run_.options;
    options.output = run_.kinds.lines ? names.lines().string() : "";
    options.csv = run_.kinds.csv ? names.csv().string() : "";
    options.overlay = run_.kinds.overlay ? names.overlay(".mp4").string() : "";
    return options;
  }

  VideoOptions video_of(const ResultNames& names) const {
    VideoOptions video = run_.video;
    video.summary = run_.kinds.summary ? names.summary().string() : "";
    return video;
  }

  Run& run_;
  std::unique_ptr<media::PictureAnalyzer> pictures_;  // made with the first picture
  std::vector<fs::path> written_;                     // of the input at hand, where they are there
  double bytes_left_ = 0;                             // of its work, not yet told to the progress
};

// Hands out the inputs of this shard, each place in the results once.
class Inputs {
 public:
  Inputs(const AnalyzeOptions& options, const ManyOptions& many)
      : sources_(options.inputs,
                 {.recursive = options.recursive,
                  .takes =
                      [](std::string_view name) {
                        return media::has_picture_extension(name) || media::has_video_extension(name);
                      },
                  .listed_folders = true,
                  .left_out = many.out},
                 std::cin),
        shard_(many.shard.empty() ? Shard() : parse_shard(many.shard)) {}

  // Counts those that will come and their bytes, unless a list is among them.
  void measure() {
    if (!sources_.count()) return;
    count_ = 0;
    while (std::optional<media::PictureSource> source = sources_.next()) {
      if (!take(*source)) continue;
      ++*count_;
      std::error_code ignored;
      const std::uintmax_t bytes = fs::file_size(source->path, ignored);
      if (bytes != static_cast<std::uintmax_t>(-1)) bytes_ += bytes;
      measured_.push_back(std::move(*source));
    }
  }
  std::optional<std::size_t> count() const { return count_; }
  std::uintmax_t bytes() const { return bytes_; }

  std::optional<media::PictureSource> next() {
    if (!measured_.empty()) {
      media::PictureSource source = std::move(measured_.front());
      measured_.pop_front();
      return source;
    }
    while (std::optional<media::PictureSource> source = sources_.next())
      if (take(*source)) return source;
    return std::nullopt;
  }

 private:
  // Whether the input belongs to this shard and has not been named before. Another input for the same place
  // is handed out as a problem. A digest of each name is kept, 16 bytes, however many they are.
  bool take(media::PictureSource& source) {
    if (!source.problem.empty()) return shard_.number == 1;
    if (!shard_.has(source.relative)) return false;
    const auto [place, is_new] = places_.try_emplace(
        std::hash<std::string>()(source.relative.generic_string()), std::hash<std::string>()(source.path));
    if (is_new) return true;
    if (place->second == std::hash<std::string>()(source.path)) return false;
    source.problem = base::concat(source.path, ": another input has its results in ",
                                  source.relative.generic_string(), ", too; name the folder above both");
    return true;
  }

  media::PictureSources sources_;
  Shard shard_;
  std::optional<std::size_t> count_;
  std::uintmax_t bytes_ = 0;
  std::deque<media::PictureSource> measured_;
  std::unordered_map<std::size_t, std::size_t> places_;
};

// What came of all inputs, and the table of what failed.
class Tally {
 public:
  void add(const Outcome& outcome) {
    using State = Outcome::State;
    if (outcome.state == State::stopped) return;
    (outcome.state == State::failed ? failed_ : outcome.state == State::complete ? complete_ : done_)++;
    if (!outcome.again.empty()) ++again_[outcome.again];
    if (outcome.problems.empty()) return;
    if (outcome.state != State::failed) ++incomplete_;
    if (failures_.size() < kMostFailures)
      failures_.push_back({outcome.state == State::failed, outcome.input, outcome.problems});
  }

  bool any_problem() const { return failed_ + incomplete_ > 0; }

  // One line, and one for each input that failed.
  std::string text(const std::string& folder) const {
    std::string text =
        base::concat(folder, ": ", failed_ + complete_ + done_, " inputs: ", done_, " done, ", complete_,
                     " complete before, ", failed_, " failed, ", incomplete_, " with gaps\n");
    for (const auto& [why, count] : again_)
      text += base::concat("  done again: ", count, " with ", why, "\n");
    std::size_t width = 0, listed = 0;
    for (const Failure& failure : failures_) width = std::max(width, failure.input.size());
    for (const Failure& failure : failures_) {
      ++listed;
      for (const std::string& problem : failure.problems)
        text += base::concat("  ", failure.whole ? "failed  " : "gaps    ", failure.input,
                             std::string(width - failure.input.size() + 2, ' '),
                             without_name(problem, failure.input), "\n");
    }
    if (listed < failed_ + incomplete_)
      text += base::concat("  and ", failed_ + incomplete_ - listed, " more\n");
    return text;
  }

 private:
  struct Failure {
    bool whole;
    std::string input;
    std::vector<std::string> problems;
  };

  static std::string without_name(const std::string& problem, const std::string& input) {
    std::string text = problem.starts_with(input + ": ") ? problem.substr(input.size() + 2) : problem;
    std::ranges::replace(text, '\n', ' ');
    return text;
  }

  std::size_t done_ = 0, complete_ = 0, failed_ = 0, incomplete_ = 0;
  std::map<std::string, std::size_t> again_;  // how many for each reason
  std::vector<Failure> failures_;
};

media::PictureAnalyzerOptions picture_options(const AnalyzeOptions& options, const media::FaceFitter* fitter,
                                              std::vector<std::string>& problems) {
  media::PictureAnalyzerOptions pictures;
  pictures.max_faces = options.max_faces;
  pictures.may_reduce =
      options.analyzer.detector.starts_with(kDefaultDetector) && options.analyzer.min_face_px == 0;
  if (fitter && options.face3d.draw)
    pictures.draw_below = [fitter](Image& picture, const std::vector<Face>& faces) {
      fitter->draw(picture, faces);
    };
  if (!options.boxes.empty())
    pictures.boxes = std::make_shared<media::GivenBoxes>(
        options.boxes, [&problems](const std::string& problem) { problems.push_back(problem); });
  return pictures;
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::invalid_argument, "analyze: " + what);
}

}  // namespace

void check_many_options(const AnalyzeOptions& options, const VideoOptions& video, const ManyOptions& many) {
  parse_result_kinds(many.write);
  if (!many.shard.empty()) parse_shard(many.shard);
  if (many.out.empty()) {
    if (many.resume || many.write != ManyOptions().write || many.jobs > 0 || !many.shard.empty() ||
        many.progress)
      refuse("--write, --jobs, --resume, --shard and --progress need --out DIR");
    return;
  }
  if (options.output != "-" || !options.csv.empty() || !options.overlay.empty() || !video.summary.empty())
    refuse("--out names the files itself: expected --write in place of -o, --csv, --overlay and --summary");
  if (video.show || video.sequence || !options.face3d.send.empty() || !options.face3d.mesh.empty())
    refuse("--show, --sequence, --send and --mesh do not go with --out");
  for (const std::string& input : options.inputs) {
    std::error_code ignored;
    if (input != "-" && media::names_a_video(input) && !media::has_video_extension(input) &&
        !fs::exists(input, ignored))
      refuse("--out takes files, folders and lists of them: " + input + " stands alone");
    if (!options.boxes.empty() && media::has_video_extension(input))
      refuse("--boxes with --out is for pictures: a table of boxes belongs to one video");
  }
}

int analyze_many(const AnalyzeOptions& options, const VideoOptions& video, const ManyOptions& many) {
  catch_interrupts();
  base::create_folders(many.out);
  Inputs inputs(options, many);
  inputs.measure();
  int jobs = many.jobs > 0 ? many.jobs : std::min(options.network.thread_count(), kMostJobs);
  if (inputs.count()) jobs = std::clamp(static_cast<int>(*inputs.count()), 1, jobs);
  // One thread a network call, so that results do not depend on how many inputs are worked on at once.
  const Analyzer analyzer = load_analyzer(options, 1);
  std::optional<media::FaceFitter> fitter;
  if (options.face3d.wanted()) fitter.emplace(options.face3d, analyzer.landmarker().database());
  RunProgress progress(many.progress, inputs.count(), inputs.bytes());
  std::vector<std::string> problems;
  Manifest wanted;
  wanted.version = SPIGA_VERSION;
  wanted.options = settings_of(options, video, many);
  const media::FaceFitter* fits = fitter ? &*fitter : nullptr;
  Run run = {options,           video,    many, parse_result_kinds(many.write),
             std::move(wanted), analyzer, fits, picture_options(options, fits, problems),
             progress};
  for (const std::string& problem : problems) progress.tell(problem);

  using Workers = base::OrderedWorkers<media::PictureSource, Outcome>;
  std::vector<Workers::Work> work;
  for (int i = 0; i < jobs; ++i)
    work.push_back([worker = std::make_shared<Worker>(run)](const media::PictureSource& source) {
      return worker->work(source);
    });
  const auto next = [&]() -> std::optional<media::PictureSource> {
    return run.stopped() ? std::nullopt : inputs.next();
  };
  Tally tally;
  {
    Workers workers(next, std::move(work), 4 * static_cast<std::size_t>(jobs));
    try {
      while (const std::optional<Outcome> outcome = workers.next()) tally.add(*outcome);
    } catch (...) {
      run.stop = true;
      progress.wipe();
      throw;
    }
  }
  progress.wipe();
  std::cerr << tally.text(many.out);
  if (interrupted()) {
    print_error("interrupted; --resume goes on");
    return kInterrupted;
  }
  return tally.any_problem() || !problems.empty() ? kSomeFailed : kDone;
}

void add_many_options(CLI::App& command, ManyOptions& options) {
  const std::string group = "Many inputs";
  command
      .add_option(
          "--out", options.out,
          "Write each input's results into this folder, which keeps the inputs' folders; takes pictures, "
          "videos and folders of both")
      ->type_name("DIR")
      ->group(group);
  command.add_option("--write", options.write, "What to write: some of lines,csv,overlay,summary")
      ->type_name("KINDS")
      ->group(group)
      ->capture_default_str();
  command.add_option("--jobs", options.jobs, "Inputs worked on at once [one per thread]")
      ->type_name("N")
      ->group(group)
      ->check(CLI::Range(1, kMostJobs).description(""));
  command
      .add_flag(
          "--resume", options.resume,
          "Leave inputs alone whose results are complete and of the same input, options, models and version")
      ->group(group);
  command
      .add_flag("--progress", options.progress, "Tell how far the run is where stderr is no terminal, too")
      ->group(group);
  command
      .add_option("--shard", options.shard,
                  "Work on the I-th of N parts of the inputs, chosen by their names: one run a part")
      ->type_name("I/N")
      ->group(group);
}

}  // namespace spiga::cli
