// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/video_outputs.h"

#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "base/file.h"
#include "cli/track_summary.h"
#include "cli/video_window.h"
#include "media/face_fitter.h"
#include "media/openface_text.h"
#include "media/text_output.h"
#include "media/video_overlay.h"
#include "media/video_text.h"
#include "media/video_writer.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::cli {

struct VideoOutputs::Impl {
  Impl(const Landmarker& landmarker, const media::VideoInfo& video)
      : database(scheme::find_database(landmarker.database())), info(video) {}

  const scheme::Database& database;
  media::VideoInfo info;
  std::unique_ptr<media::TextOutput> json;
  std::unique_ptr<media::TextOutput> csv;
  std::string overlay_path;
  std::unique_ptr<media::VideoWriter> overlay;  // made with the first frame, which has a size
  std::unique_ptr<VideoWindow> window;
  std::string summary_path;
  std::optional<TrackSummary> summary;
  std::optional<media::FaceFollower> follower;
  bool draw_mesh = false;
  bool openface = false;  // the table's style
  bool all_rows = true;   // of the table: of frames without a face, too
  std::vector<std::unique_ptr<media::LiveSender>> senders;

  void write_text(const media::FrameFaces& faces) const {
    std::string text;
    if (json || !senders.empty()) media::append_json_line(text, faces);
    if (json) json->write(text);
    for (const auto& sender : senders) sender->send(faces, text);
    text.clear();
    if (!csv) return;
    if (openface) {
      media::append_openface_rows(text, faces);
    } else {
      media::append_video_csv_rows(text, faces, database.landmarks, all_rows);
    }
    csv->write(text);
  }

  void write_overlay(const Image& picture) {
    if (!overlay)
      overlay =
          std::make_unique<media::VideoWriter>(overlay_path, info.fps, picture.width(), picture.height());
    overlay->write(picture);
  }
};

VideoOutputs::VideoOutputs(const AnalyzeOptions& options, const VideoOptions& video,
                           const media::VideoInfo& info, const Landmarker& landmarker)
    : impl_(std::make_unique<Impl>(landmarker, info)) {
  Impl& impl = *impl_;
  if (!options.overlay.empty()) media::check_video_path(options.overlay);
  if (options.face3d.wanted()) impl.follower.emplace(options.face3d, landmarker.database());
  impl.draw_mesh = options.face3d.draw;
  for (const std::string& url : options.face3d.send)
    impl.senders.push_back(std::make_unique<media::LiveSender>(url));
  if (!options.output.empty() && (options.csv != "-" || options.output != "-"))
    impl.json = media::open_text_output(options.output);
  if (!options.csv.empty()) {
    impl.csv = media::open_text_output(options.csv);
    std::string header;
    impl.openface = options.openface;
    impl.all_rows = options.all_rows.value_or(true);
    if (impl.openface) {
      media::append_openface_header(header, true);
    } else {
      media::append_video_csv_header(header, impl.database.landmarks, options.face3d.wanted());
    }
    impl.csv->write(header);
  }
  impl.overlay_path = options.overlay;
  if (video.show) impl.window = std::make_unique<VideoWindow>("spiga: " + info.name);
  impl.summary_path = video.summary;
  if (!video.summary.empty()) impl.summary.emplace(info.name, impl.database);
}

VideoOutputs::~VideoOutputs() = default;

bool VideoOutputs::write(const media::AnalyzedFrame& frame) {
  Impl& impl = *impl_;
  if (impl.follower) {
    media::FrameFaces faces = frame.faces;
    impl.follower->fit(faces);
    impl.write_text(faces);
  } else {
    impl.write_text(frame.faces);
  }
  if (impl.summary) impl.summary->add(frame);
  if (impl.overlay_path.empty() && !impl.window) return true;
  Image picture = *frame.picture;
  if (impl.follower && impl.draw_mesh) impl.follower->draw(picture);
  media::draw_tracked_faces(picture, frame.faces.faces, impl.database);
  if (!impl.overlay_path.empty()) impl.write_overlay(picture);
  return !impl.window || impl.window->show(picture);
}

void VideoOutputs::finish() {
  Impl& impl = *impl_;
  std::exception_ptr failure;
  const auto attempt = [&failure](const std::function<void()>& action) {
    try {
      action();
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  };
  if (impl.json) attempt([&] { impl.json->finish(); });
  if (impl.csv) attempt([&] { impl.csv->finish(); });
  if (impl.overlay) attempt([&] { impl.overlay->finish(); });
  if (impl.summary) attempt([&] { base::write_file(impl.summary_path, impl.summary->html()); });
  if (failure) std::rethrow_exception(failure);
}

std::vector<std::string> VideoOutputs::problems() const {
  std::vector<std::string> problems;
  const auto add = [&problems](const std::vector<std::string>& more) {
    problems.insert(problems.end(), more.begin(), more.end());
  };
  if (impl_->follower) add(impl_->follower->problems());
  for (const auto& sender : impl_->senders) add(sender->problems());
  return problems;
}

}  // namespace spiga::cli
