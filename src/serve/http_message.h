// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace spiga::serve {

using Clock = std::chrono::steady_clock;

struct HttpRequest {
  std::string method;         // as sent: "GET"
  std::string path;           // of the target, before '?'
  std::string query;          // behind it
  std::string authorization;  // these headers' values, empty where absent
  std::string content_type;
  std::string client;       // address in numbers
  Clock::time_point begun;  // its first byte was read
  Clock::time_point deadline;
  bool has_body = false;  // one was announced
  std::vector<std::uint8_t> body;

  // Value of `name=value` in the query, taken as it is; empty where absent.
  std::string parameter(const std::string& name) const;
};

struct HttpResponse {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool close = false;  // the connection, afterwards
};

// "Not Found"
const char* reason_of(int status);

// RFC 9457's application/problem+json; `detail` is repeated as `error`, which clients of version 1 read.
HttpResponse problem(int status, const std::string& detail);

}  // namespace spiga::serve
