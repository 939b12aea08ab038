// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/service.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "media/overlay.h"
#include "media/picture_writer.h"
#include "model/model_file.h"
#include "scheme/scheme.h"
#include "serve/metrics.h"
#include "spiga/error.h"
#include "spiga/version.h"
#include "weights/safetensors.h"

namespace spiga::serve {
namespace {

std::string describe(const std::string& model) {
  nlohmann::json json = model::describe(model::read_info(weights::SafetensorsFile(model)));
  json["version"] = SPIGA_VERSION;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

// A place in the queue and then a detector; both go back at the end.
class Service::Turn {
 public:
  Turn(Service& service, Clock::time_point deadline) : service_(service) {
    std::unique_lock lock(service_.mutex_);
    if (service_.admitted_ >= service_.options_.queue) throw Busy();
    ++service_.admitted_;
    const bool free = service_.freed_.wait_until(lock, deadline, [this] { return !service_.idle_.empty(); });
    if (!free || Clock::now() >= deadline) {
      --service_.admitted_;
      lock.unlock();
      service_.freed_.notify_one();  // the place that was offered to us goes to the next
      throw TooLate();
    }
    detector_ = std::move(service_.idle_.back());
    service_.idle_.pop_back();
  }
  ~Turn() {
    {
      const std::lock_guard lock(service_.mutex_);
      if (detector_) service_.idle_.push_back(std::move(detector_));
      --service_.admitted_;
    }
    service_.freed_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Detector& detector() { return *detector_; }

 private:
  Service& service_;
  std::unique_ptr<Detector> detector_;
};

Service::Service(const ServiceOptions& options) : options_(options) {
  if (options.workers < 1 || options.queue < 1)
    throw Error(ErrorCode::invalid_argument, "workers and queue must be at least 1");
  const std::string model = options.analyzer.model.empty() ? default_model_path() : options.analyzer.model;
  Landmarker landmarker = Landmarker::load(model, options.analyzer.landmarker);
  database_ = landmarker.database();
  model_ = describe(model);
  for (int i = 0; i < options.workers; ++i)
    idle_.push_back(make_detector(options.analyzer.detector, options.analyzer.detector_options));
  batcher_ = std::make_unique<Batcher>(std::move(landmarker));
}

Answer Service::analyze(std::span<const std::uint8_t> bytes, const std::string& name, bool overlay,
                        Clock::time_point deadline) {
  Turn turn(*this, deadline);
  Image picture = media::decode_picture(bytes, name.empty() ? "picture" : name, options_.limits);
  const std::vector<Detection> detections = turn.detector().detect(picture.view());
  Answer answer{.faces = {.source = name,
                          .width = picture.width(),
                          .height = picture.height(),
                          .faces = batcher_->locate(picture.view(), detections)},
                .overlay = {}};
  if (overlay) {
    media::draw_faces(picture, answer.faces.faces, scheme::find_database(database_));
    answer.overlay = media::encode_picture(picture, ".jpg");
  }
  return answer;
}

std::string Service::metrics() const {
  std::string out;
  int admitted = 0;
  {
    const std::lock_guard lock(mutex_);
    admitted = admitted_;
  }
  append_metric(out, "spiga_requests_admitted", "gauge", "Requests under way or waiting.",
                static_cast<std::uint64_t>(admitted));
  append_metric(out, "spiga_faces_total", "counter", "Faces that the network looked at.", batcher_->faces());
  append_metric(out, "spiga_batches_total", "counter", "Calls of the network.", batcher_->batches());
  return out;
}

}  // namespace spiga::serve
