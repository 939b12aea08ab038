// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/service.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
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

Service::Service(const ServiceOptions& options) : options_(options) {
  if (options.workers < 1 || options.queue < 1)
    throw Error(ErrorCode::invalid_argument, "workers and queue must be at least 1");
  AnalyzerOptions one = options.analyzer;
  one.threads = 1;
  const Analyzer analyzer = Analyzer::load(one);
  const int threads = options.analyzer.threads;
  start_batcher(analyzer, threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<Analyzer> analyzers(static_cast<std::size_t>(options.workers), analyzer);
  for (Analyzer& mine : analyzers)
    workers_.emplace_back([this, mine = std::move(mine)]() mutable { work(mine); });
}

Service::~Service() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Service::start_batcher(const Analyzer& analyzer, int threads) {
  const Landmarker& narrow = analyzer.landmarker();
  LandmarkerOptions all = narrow.options();
  all.threads = threads;
  std::optional<Landmarker> wide;
  if (threads > 1) wide.emplace(narrow.model(), all);
  database_ = narrow.database();
  model_ = describe(narrow.model().path());
  batcher_ = std::make_unique<Batcher>(narrow, std::move(wide), std::clamp(threads, 1, options_.workers));
}

void Service::work(Analyzer& analyzer) {
  for (;;) {
    std::shared_ptr<Job> job;  // kept until its promise is done with, whatever its caller does
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      job->answer.set_value(look(*job, analyzer));
    } catch (...) {
      job->answer.set_exception(std::current_exception());
    }
  }
}

Answer Service::look(const Job& job, Analyzer& analyzer) {
  Image picture = media::decode_picture(job.bytes, job.name.empty() ? "picture" : job.name, options_.limits);
  const std::vector<Detection> detections = analyzer.detect(picture.view());
  bool alone = false;
  {
    const std::lock_guard lock(mutex_);
    alone = admitted_ == 1;
  }
  Answer answer{.faces = {.source = job.name,
                          .width = picture.width(),
                          .height = picture.height(),
                          .faces = batcher_->locate(picture.view(), detections, alone)},
                .overlay = {}};
  if (job.overlay) {
    media::draw_faces(picture, answer.faces.faces, scheme::find_database(database_));
    answer.overlay = media::encode_picture(picture, ".jpg");
  }
  return answer;
}

Answer Service::analyze(std::span<const std::uint8_t> bytes, const std::string& name, bool overlay,
                        Clock::time_point deadline) {
  // A place in the queue, given back at the end.
  struct Place {
    explicit Place(Service& the_service) : service(the_service) {}
    ~Place() {
      const std::lock_guard lock(service.mutex_);
      --service.admitted_;
    }
    Service& service;
  };
  const auto job = std::make_shared<Job>(Job{bytes, name, overlay, {}});
  std::future<Answer> answer = job->answer.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (admitted_ >= options_.queue) throw Busy();
    ++admitted_;
    waiting_.push_back(job);
  }
  const Place place(*this);
  changed_.notify_one();
  if (answer.wait_until(deadline) == std::future_status::timeout) {
    const std::lock_guard lock(mutex_);
    if (std::erase(waiting_, job) > 0) throw TooLate();  // else its turn has come
  }
  return answer.get();
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
