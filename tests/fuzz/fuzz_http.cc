// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <string>
#include <thread>

#include "fuzz/support.h"
#include "serve/form.h"
#include "serve/http_front.h"

namespace spiga::fuzz {
namespace {

constexpr std::int64_t kMostBody = 2000;

// A front that lives as long as the process and answers every request with its body's length.
serve::HttpFront& front() {
  static serve::HttpFront* const running = [] {
    serve::HttpHandler handler;
    handler.admit = [](const serve::HttpRequest& request) -> std::optional<serve::HttpResponse> {
      if (request.path == "/refused") return serve::problem(404, "no such path");
      return {};
    };
    handler.handle = [](serve::HttpRequest request, const serve::HttpHandler::Reply& reply) {
      require(static_cast<std::int64_t>(request.body.size()) <= kMostBody);
      reply({.body = std::to_string(request.body.size()) + request.parameter("a")});
    };
    handler.note = [](const serve::HttpRequest&, int status, std::size_t, double) {
      require(status >= 200 && status < 600);
    };
    handler.tick = [](serve::Clock::time_point) {};
    auto* made = new serve::HttpFront({.header_bytes = 1000, .body_bytes = kMostBody}, std::move(handler));
    std::thread([made] { made->run([] { return false; }); }).detach();
    return made;
  }();
  return *running;
}

std::string read_to_end(int socket) {
  std::string all;
  char buffer[4096];
  for (ssize_t size; (size = ::read(socket, buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(size));
  return all;
}

}  // namespace

void fuzz_http(Bytes bytes) {
  int pair[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  front().adopt(pair[0]);
  std::thread writer([&] {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t size = ::send(pair[1], bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) break;
      sent += static_cast<std::size_t>(size);
    }
    ::shutdown(pair[1], SHUT_WR);
  });
  const std::string answer = read_to_end(pair[1]);
  writer.join();
  ::close(pair[1]);
  require(answer.empty() || answer.starts_with("HTTP/1.1 "));
}

// The content type up to a line end, then the body.
void fuzz_form(Bytes bytes) {
  const auto line = std::ranges::find(bytes, '\n');
  const std::string type(bytes.begin(), line);
  const Bytes body = bytes.subspan(std::min(bytes.size(), type.size() + 1));
  expect_error_or_success([&] {
    const std::vector<serve::FormPart> parts = serve::parse_form(body, type);
    for (const serve::FormPart& part : parts)
      require(part.content.data() >= body.data() &&
              part.content.data() + part.content.size() <= body.data() + body.size());
    const serve::FormPart& picture = serve::picture_of(parts);
    require(picture.is_file || picture.name == "image");
  });
}

}  // namespace spiga::fuzz
