// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <span>
#include <thread>

#include "base/text.h"
#include "serve/metrics.h"
#include "serve/page.h"
#include "spiga/error.h"

namespace spiga::serve {
namespace {

constexpr int kBacklog = 1024;
constexpr char kJson[] = "application/json";
// The page may load nothing from elsewhere and be framed by nobody.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src "
    "'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

constexpr char kOpenApi[] = R"({"openapi": "3.0.3",
 "info": {"title": "spiga", "description": "Facial landmarks and head pose", "version": "1"},
 "paths": {
  "/v1/analyze": {"post": {
   "summary": "Faces of a picture, as bytes or as the first file of a form",
   "parameters": [{"name": "overlay", "in": "query", "schema": {"type": "string", "enum": ["1"]},
                   "description": "1: answer with the picture, faces drawn, as JPEG"}],
   "requestBody": {"required": true, "content": {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    "multipart/form-data": {"schema": {"type": "object",
     "properties": {"image": {"type": "string", "format": "binary"}}}}}},
   "responses": {
    "200": {"description": "What was found", "content": {"application/json": {}, "image/jpeg": {}}},
    "400": {"description": "No picture, or a damaged one"},
    "401": {"description": "Bearer token missing or wrong"},
    "408": {"description": "The request took too long to arrive"},
    "413": {"description": "Too many bytes or pixels"},
    "429": {"description": "Queue full; Retry-After says when to come again"},
    "503": {"description": "No turn within the time limit"}}}},
  "/v1/model": {"get": {"responses": {"200": {"description": "The model: database, landmark ids, edges, configuration, licence",
                                              "content": {"application/json": {}}}}}},
  "/healthz": {"get": {"responses": {"200": {"description": "Alive"}}}},
  "/readyz": {"get": {"responses": {"200": {"description": "Takes requests"}, "503": {"description": "Ending"}}}},
  "/metrics": {"get": {"responses": {"200": {"description": "Prometheus text"}}}}}}
)";

void refuse(httplib::Response& response, int status, const std::string& message) {
  std::string body = "{\"error\": ";
  media::append_json_text(body, message);
  response.status = status;
  response.set_content(body + "}\n", kJson);
}

// Takes as long for every wrong token of the right length.
bool same(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

struct Upload {
  std::string name;
  std::vector<std::uint8_t> bytes;
  bool too_large = false;
  bool too_late = false;
};

// The body, or of a form its first part, up to the limits.
bool receive(const httplib::Request& request, const httplib::ContentReader& reader, std::size_t most,
             Clock::time_point deadline, Upload& upload) {
  int part = 0;
  std::size_t received = 0;
  const auto take = [&](const char* data, std::size_t size) {
    received += size;
    upload.too_large = received > most;
    upload.too_late = Clock::now() > deadline;
    if (upload.too_large || upload.too_late) return false;
    if (part <= 1) upload.bytes.insert(upload.bytes.end(), data, data + size);
    return true;
  };
  if (!request.is_multipart_form_data()) return reader(take);
  const auto begin = [&](const httplib::MultipartFormData& form) {
    if (++part == 1) upload.name = form.filename;
    return true;
  };
  return reader(begin, take);
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_data:
      return 400;
    case ErrorCode::unsupported:
      return 413;
    default:
      return 500;
  }
}

thread_local Clock::time_point begun;

}  // namespace

struct Server::Impl {
  Impl(Service& the_service, const ServerOptions& the_options);

  void analyze(const httplib::Request& request, httplib::Response& response,
               const httplib::ContentReader& reader);
  void answer(const httplib::Request& request, httplib::Response& response, const Upload& upload,
              Clock::time_point deadline);
  void add_small_routes();
  void add_page();
  void get(const char* path, std::function<void(httplib::Response&)> handle);
  void add_refusals();
  void note(const httplib::Request& request, const httplib::Response& response);

  Service& service;
  ServerOptions options;
  Metrics metrics;
  std::atomic<bool> ready = false;
  std::map<std::string, std::string> routes = {{"/v1/analyze", "POST"}};  // what each path takes
  int listening = -1;                                                     // the socket
  httplib::Server http;
};

Server::Impl::Impl(Service& the_service, const ServerOptions& the_options)
    : service(the_service), options(the_options) {
  const auto limit = std::chrono::milliseconds(static_cast<std::int64_t>(options.seconds * 1000));
  http.set_read_timeout(limit);
  http.set_write_timeout(limit);
  http.set_keep_alive_timeout(2);
  http.set_keep_alive_max_count(1000000);
  http.set_tcp_nodelay(true);
  http.set_payload_max_length(static_cast<std::size_t>(service.options().limits.max_file_bytes) + 65536);
  http.set_socket_options([this](int socket) {
    listening = socket;
    const int yes = 1;  // and not SO_REUSEPORT, the library's choice, with which two servers share a port
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  http.new_task_queue = [this] {
    return new httplib::ThreadPool(static_cast<std::size_t>(options.connections));
  };
  http.set_pre_routing_handler([](const httplib::Request&, httplib::Response&) {
    begun = Clock::now();
    return httplib::Server::HandlerResponse::Unhandled;
  });
  http.set_logger([this](const httplib::Request& request, const httplib::Response& response) {
    note(request, response);
  });
  add_small_routes();
  add_page();
  add_refusals();
}

void Server::Impl::get(const char* path, std::function<void(httplib::Response&)> handle) {
  routes[path] = "GET, HEAD";
  http.Get(path, [handle = std::move(handle)](const httplib::Request&, httplib::Response& response) {
    handle(response);
  });
}

void Server::Impl::add_small_routes() {
  get("/healthz", [](httplib::Response& response) { response.set_content("ok\n", "text/plain"); });
  get("/readyz", [this](httplib::Response& response) {
    response.status = ready ? 200 : 503;
    response.set_content(ready ? "ready\n" : "ending\n", "text/plain");
  });
  get("/metrics", [this](httplib::Response& response) {
    std::string text = service.metrics();
    metrics.append(text);
    response.set_content(text, "text/plain; version=0.0.4");
  });
  get("/openapi.json", [](httplib::Response& response) { response.set_content(kOpenApi, kJson); });
  get("/v1/model", [this](httplib::Response& response) { response.set_content(service.model(), kJson); });
  http.Post("/v1/analyze",
            [this](const httplib::Request& request, httplib::Response& response,
                   const httplib::ContentReader& reader) { analyze(request, response, reader); });
}

void Server::Impl::add_page() {
  for (const PageFile& file : std::span(kPageFiles, kPageFileCount))
    get(file.path, [&file](httplib::Response& response) {
      response.set_header("Content-Security-Policy", kPolicy);
      response.set_header("X-Content-Type-Options", "nosniff");
      response.set_header("Referrer-Policy", "no-referrer");
      response.set_header("Cache-Control", "no-cache");
      response.set_content(file.text, file.type);
    });
}

// Unknown paths and wrong methods; bodies that nobody wants are not read.
void Server::Impl::add_refusals() {
  const auto nowhere = [this](const httplib::Request& request, httplib::Response& response) {
    const auto route = routes.find(request.path);
    if (route == routes.end()) return refuse(response, 404, "no such path");
    response.set_header("Allow", route->second);
    refuse(response, 405, base::concat("this path takes ", route->second));
  };
  const auto unread = [nowhere](const httplib::Request& request, httplib::Response& response,
                                const httplib::ContentReader&) {
    response.set_header("Connection", "close");
    nowhere(request, response);
  };
  http.Get(".*", nowhere).Delete(".*", nowhere).Options(".*", nowhere);
  http.Post(".*", unread).Put(".*", unread).Patch(".*", unread).Delete(".*", unread);
  http.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.body.empty()) refuse(response, response.status, "this request makes no sense");
  });
}

void Server::Impl::analyze(const httplib::Request& request, httplib::Response& response,
                           const httplib::ContentReader& reader) {
  if (!options.token.empty() && !same(request.get_header_value("Authorization"), "Bearer " + options.token)) {
    response.set_header("WWW-Authenticate", "Bearer");
    response.set_header("Connection", "close");
    return refuse(response, 401, "bearer token missing or wrong");
  }
  const auto deadline = begun + std::chrono::milliseconds(static_cast<std::int64_t>(options.seconds * 1000));
  const auto most = service.options().limits.max_file_bytes;
  Upload upload;
  const bool whole = receive(request, reader, static_cast<std::size_t>(most), deadline, upload);
  if (!whole) response.set_header("Connection", "close");
  if (upload.too_large || response.status == 413)
    return refuse(response, 413, base::concat("more than ", most, " bytes"));
  if (upload.too_late || Clock::now() > deadline)
    return refuse(response, 408, "the request took too long to arrive");
  if (!whole) return refuse(response, 400, "the request's body is cut short or malformed");
  answer(request, response, upload, deadline);
}

void Server::Impl::answer(const httplib::Request& request, httplib::Response& response, const Upload& upload,
                          Clock::time_point deadline) {
  const bool overlay = request.get_param_value("overlay") == "1";
  try {
    const Answer found = service.analyze(upload.bytes, upload.name, overlay, deadline);
    response.status = 200;
    if (overlay) {
      response.set_content(reinterpret_cast<const char*>(found.overlay.data()), found.overlay.size(),
                           "image/jpeg");
    } else {
      std::string line;
      media::append_json_line(line, found.faces);
      response.set_content(line, kJson);
    }
  } catch (const Busy& busy) {
    response.set_header("Retry-After", "1");
    refuse(response, 429, busy.what());
  } catch (const TooLate& late) {
    response.set_header("Retry-After", "1");
    refuse(response, 503, late.what());
  } catch (const Error& error) {
    refuse(response, status_of(error.code()), error.what());
  } catch (const std::exception&) {
    refuse(response, 500, "internal error");
  }
}

void Server::Impl::note(const httplib::Request& request, const httplib::Response& response) {
  // A request that could not be read has no start of its own.
  const bool timed = !request.method.empty() && begun != Clock::time_point();
  const double seconds = timed ? std::chrono::duration<double>(Clock::now() - begun).count() : 0;
  begun = {};
  metrics.count(response.status, seconds);
  if (!options.log) return;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::string line = "{\"time\": ";
  media::append_number(line, now, 3);
  line += ", \"client\": ";
  media::append_json_text(line, request.remote_addr);
  line += ", \"method\": ";
  media::append_json_text(line, request.method);
  line += ", \"path\": ";
  media::append_json_text(line, request.path);
  line +=
      base::concat(", \"status\": ", response.status, ", \"bytes\": ", response.body.size(), ", \"ms\": ");
  media::append_number(line, seconds * 1000, 1);
  options.log(line + "}");
}

Server::Server(Service& service, const ServerOptions& options)
    : impl_(std::make_unique<Impl>(service, options)) {}

Server::~Server() = default;

int Server::bind() {
  const ServerOptions& options = impl_->options;
  const int port = options.port == 0 ? impl_->http.bind_to_any_port(options.host)
                   : impl_->http.bind_to_port(options.host, options.port) ? options.port
                                                                          : -1;
  if (port < 0)
    throw Error(ErrorCode::io, base::concat(options.host, ":", options.port, ": cannot listen there"));
  // The library lets 5 clients wait to be accepted; the next would try again a second later.
  ::listen(impl_->listening, kBacklog);
  return port;
}

void Server::run(const std::function<bool()>& stop) {
  constexpr auto kPause = std::chrono::milliseconds(50);
  std::thread listener([this] { impl_->http.listen_after_bind(); });
  while (!impl_->http.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  impl_->ready = true;
  while (!stop()) std::this_thread::sleep_for(kPause);
  impl_->ready = false;
  impl_->http.stop();
  listener.join();
}

}  // namespace spiga::serve
