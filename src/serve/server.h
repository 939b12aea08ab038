// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "serve/http_front.h"
#include "serve/service.h"

namespace spiga::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;         // 0: any free one
  std::string token = {};  // POST /v1/analyze asks for it as a bearer token; empty: open to all
  HttpLimits limits = {};  // all but body_bytes, which the service's picture limits tell
  std::function<void(const std::string&)> log = {};  // one JSON object per answer, no line end; any thread
};

// The HTTP side of a Service; docs/http.md describes what it answers.
class Server {
 public:
  // The service must outlive the server.
  Server(Service& service, const ServerOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes the address and returns the port. Throws Error(io) where it cannot be had.
  int bind();
  // Answers until `stop` (asked every 50 ms) is true; then accepts no more and finishes what is under way.
  void run(const std::function<bool()>& stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::serve
