// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/metrics.h"

#include "base/text.h"
#include "media/face_text.h"

namespace spiga::serve {

void Metrics::count(int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++by_status_[status];
  ++requests_;
  seconds_ += seconds;
  for (std::size_t i = 0; i < kBounds.size(); ++i) within_[i] += seconds <= kBounds[i];
}

void Metrics::append(std::string& out) const {
  const std::lock_guard lock(mutex_);
  out += "# HELP spiga_requests_total Answers by HTTP status.\n# TYPE spiga_requests_total counter\n";
  for (const auto& [status, count] : by_status_)
    out += base::concat("spiga_requests_total{code=\"", status, "\"} ", count, "\n");
  out +=
      "# HELP spiga_request_seconds Time from a request's header to its answer.\n"
      "# TYPE spiga_request_seconds histogram\n";
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    out += "spiga_request_seconds_bucket{le=\"";
    media::append_number(out, kBounds[i], 3);
    out += base::concat("\"} ", within_[i], "\n");
  }
  out +=
      base::concat("spiga_request_seconds_bucket{le=\"+Inf\"} ", requests_, "\nspiga_request_seconds_sum ");
  media::append_number(out, seconds_, 6);
  out += base::concat("\nspiga_request_seconds_count ", requests_, "\n");
}

void append_metric(std::string& out, const char* name, const char* type, const char* help,
                   std::uint64_t value) {
  out += base::concat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", name, " ", value, "\n");
}

}  // namespace spiga::serve
