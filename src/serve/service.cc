// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/service.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/primitives.h"
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

// Of a picture: what one answer can make us hold is bounded.
constexpr std::size_t kMostMeshes = 16;

std::string describe(const std::string& model, bool fits_heads) {
  nlohmann::json json = model::describe(model::read_info(weights::SafetensorsFile(model)));
  json["version"] = SPIGA_VERSION;
  json["face3d"] = fits_heads;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// What pictures of ever new sizes leave behind goes back to the system instead of staying in many heaps.
void keep_heap_small() {
#ifdef __GLIBC__
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
#endif
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Service::Service(const ServiceOptions& options) : options_(options) {
  if (options.workers < 1 || options.queue < 1)
    throw Error(ErrorCode::invalid_argument, "workers and queue must be at least 1");
  keep_heap_small();
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
  load_head();
  model_ = describe(narrow.model().path(), fits_heads());
  batcher_ = std::make_unique<Batcher>(narrow, std::move(wide), std::clamp(threads, 1, options_.workers));
}

void Service::load_head() {
  try {
    fitter_.emplace(media::Face3dOptions{}, database_);
    media::append_json_triangles(triangles_, fitter_->model());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported && error.code() != ErrorCode::not_found) throw;
    // Clients are not told where the server looked for files.
    no_heads_ = error.code() == ErrorCode::not_found
                    ? "a face in 3-D needs head.safetensors, which this server does not have"
                    : error.what();
  }
}

void Service::work(Analyzer& analyzer) {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Answer answer;
    std::exception_ptr fault;
    try {
      answer = look(job.task, analyzer);
    } catch (...) {
      fault = std::current_exception();
    }
    finish(job, fault, std::move(answer));
  }
}

void Service::finish(const Job& job, std::exception_ptr fault, Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    --admitted_;
  }
  job.done(std::move(fault), std::move(answer));
}

Answer Service::look(const Task& task, Analyzer& analyzer) {
  Image picture =
      media::decode_picture(task.picture, task.name.empty() ? "picture" : task.name, options_.limits);
  const std::vector<Detection> detections = analyzer.detect(picture.view());
  bool alone = false;
  {
    const std::lock_guard lock(mutex_);
    alone = admitted_ == 1;
  }
  Answer answer{.faces = {.source = task.name,
                          .width = picture.width(),
                          .height = picture.height(),
                          .faces = batcher_->locate(picture.view(), detections, alone)},
                .overlay = {}};
  if (task.overlay) {
    draw(picture, task, answer);
  } else if (task.in_3d) {
    std::vector<std::string> ignored;  // the answer has null there
    media::Faces3d fitted = fitter_.value().fitted(answer.faces, ignored);
    if (task.mesh) fitter_->add_meshes(fitted, kMostMeshes);
    answer.faces.in_3d = std::move(fitted);
  }
  return answer;
}

void Service::draw(Image& picture, const Task& task, Answer& answer) const {
  const std::span<const Face> faces = answer.faces.faces;
  if (task.mesh) fitter_.value().draw(picture, faces.first(std::min(kMostMeshes, faces.size())));
  media::draw_faces(picture, faces, scheme::find_database(database_));
  answer.overlay = media::encode_picture(picture, ".jpg");
}

void Service::submit(Task task, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (admitted_ >= options_.queue) throw Busy();
    waiting_.push_back({std::move(task), std::move(done)});
    ++admitted_;
  }
  changed_.notify_one();
}

void Service::expire(Clock::time_point now) {
  std::vector<Job> late;
  {
    const std::lock_guard lock(mutex_);
    const auto is_late = [now](const Job& job) { return job.task.deadline <= now; };
    for (Job& job : waiting_)
      if (is_late(job)) late.push_back(std::move(job));
    std::erase_if(waiting_, is_late);
  }
  for (const Job& job : late) finish(job, std::make_exception_ptr(TooLate()), {});
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
  append_metric(out, "spiga_kernels", "gauge", "Compiled kernels in memory.", engine::Kernel::count());
  append_metric(out, "process_resident_memory_bytes", "gauge", "Memory of the program.", resident_bytes());
  append_metric(out, "spiga_faces_total", "counter", "Faces that the network looked at.", batcher_->faces());
  append_metric(out, "spiga_batches_total", "counter", "Calls of the network.", batcher_->batches());
  return out;
}

}  // namespace spiga::serve
