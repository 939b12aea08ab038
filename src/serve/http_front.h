// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "serve/http_message.h"

namespace spiga::serve {

// docs/http.md tells what each protects from.
struct HttpLimits {
  double seconds = 10;        // from a request's first byte to its answer's turn; also for taking the answer
  double header_seconds = 5;  // from a request's first byte to its header's end
  double idle_seconds = 5;    // without a request under way
  int bytes_per_second = 1024;  // of a body, at least, in each two seconds
  int connections = 4096;       // at a time
  int per_address = 1024;       // of these from one address; 0: no limit of its own
  std::int64_t header_bytes = 16 * 1024;
  std::int64_t body_bytes = 20 * 1024 * 1024;
  std::int64_t held_bytes = 256 * 1024 * 1024;  // bodies and answers of all connections together
};

// What answers. All but `handle`'s reply happens on the front's thread and must not wait for anything.
struct HttpHandler {
  using Reply = std::function<void(HttpResponse)>;

  // The header is in: an answer here means that the body is not wanted.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> admit;
  // The whole request is in. `reply` must be called once, from any thread; later calls do nothing.
  std::function<void(HttpRequest, Reply)> handle;
  // An answer is out, or could not be sent any more.
  std::function<void(const HttpRequest&, int status, std::size_t bytes, double seconds)> note;
  // Every 50 ms.
  std::function<void(Clock::time_point)> tick;
};

struct HttpCounts {
  std::uint64_t connections = 0;          // now
  std::uint64_t held_bytes = 0;           // now
  std::uint64_t refused_connections = 0;  // so far: over one of the two limits
  std::uint64_t slow_clients = 0;         // so far: over a time limit within a request
};

// HTTP/1.1 for many connections on one thread: waiting for bytes costs a socket and some hundred bytes of
// memory. Requests on one connection are answered one after the other, in their order.
class HttpFront {
 public:
  HttpFront(const HttpLimits& limits, HttpHandler handler);
  ~HttpFront();
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;

  // Takes the address and returns the port; 0 is any free one. Throws Error(io) where it cannot be had.
  int bind(const std::string& host, int port);
  // Answers until `stop` (asked every 50 ms) is true; then accepts no more and finishes what is under way.
  // Throws Error(io), having finished that, where the listening socket fails.
  void run(const std::function<bool()>& stop);
  // Takes over a connected socket, whatever its kind, as if it had been accepted; before or while `run`, on
  // any thread. For tests.
  void adopt(int socket);

  // Safe from any thread.
  HttpCounts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::serve
