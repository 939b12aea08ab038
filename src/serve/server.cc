// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/server.h"

#include <atomic>
#include <map>
#include <span>
#include <utility>

#include "base/text.h"
#include "media/face_text.h"
#include "media/picture_header.h"
#include "serve/form.h"
#include "serve/metrics.h"
#include "serve/page.h"
#include "serve/token.h"
#include "spiga/error.h"

namespace spiga::serve {
namespace {

constexpr std::int64_t kFormBytes = 65536;  // of a form beside the picture
// The page may load nothing from elsewhere and be framed by nobody.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src "
    "'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

constexpr char kOpenApi[] = R"({"openapi": "3.0.3",
 "info": {"title": "spiga", "version": "1",
  "description": "Facial landmarks and head pose. Errors are application/problem+json as in RFC 9457"},
 "paths": {
  "/v1/analyze": {"post": {
   "summary": "Faces of a picture, as bytes or as a form's part named image, else its first file",
   "parameters": [{"name": "overlay", "in": "query", "schema": {"type": "string", "enum": ["1"]},
                   "description": "1: answer with the picture, faces drawn, as JPEG"},
                  {"name": "face3d", "in": "query", "schema": {"type": "string", "enum": ["0", "1"]},
                   "description": "1: each face has face3d, the head fitted to it, or null; the answer has camera, a guess"},
                  {"name": "mesh", "in": "query", "schema": {"type": "string", "enum": ["0", "1"]},
                   "description": "1: face3d, and each of the first 16 faces has mesh, with pixels (x, y, x, y, ...) and depth_mm of the vertices, else null; with overlay=1 it is drawn"}],
   "requestBody": {"required": true, "content": {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    "multipart/form-data": {"schema": {"type": "object",
     "properties": {"image": {"type": "string", "format": "binary"}}}}}},
   "responses": {
    "200": {"description": "What was found", "content": {"application/json": {}, "image/jpeg": {}}},
    "400": {"description": "No picture, or a damaged one; a parameter's value that is none; face3d of a model that does not allow it"},
    "401": {"description": "Bearer token missing or wrong"},
    "408": {"description": "The request came too slowly"},
    "413": {"description": "Too many bytes or pixels"},
    "415": {"description": "Not a picture of a known type"},
    "429": {"description": "Queue full; Retry-After says when to come again"},
    "431": {"description": "Header too long"},
    "503": {"description": "No turn within the time limit, or too many bytes of others held; Retry-After"}}}},
  "/v1/model": {"get": {"responses": {"200": {"description": "The model: database, landmark ids, edges, configuration, licence",
                                              "content": {"application/json": {}}}}}},
  "/v1/mesh": {"get": {"responses": {"200": {"description": "triangles: three corners of each, indices into the vertices of mesh, one after the other",
                                             "content": {"application/json": {}}},
                                     "404": {"description": "The model does not allow face3d"},
                                     "503": {"description": "Too many bytes of others held; Retry-After"}}}},
  "/healthz": {"get": {"responses": {"200": {"description": "Alive"}}}},
  "/readyz": {"get": {"responses": {"200": {"description": "Takes requests"}, "503": {"description": "Ending"}}}},
  "/metrics": {"get": {"responses": {"200": {"description": "Prometheus text"}}}}}}
)";

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

HttpResponse come_again(int status, const std::string& detail) {
  HttpResponse response = problem(status, detail);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

// What a failed request is told.
HttpResponse refusal_of(const std::exception_ptr& fault) {
  try {
    std::rethrow_exception(fault);
  } catch (const Busy& busy) {
    return come_again(429, busy.what());
  } catch (const TooLate& late) {
    return come_again(503, late.what());
  } catch (const Error& error) {
    return problem(status_of(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return come_again(503, "no memory left for this request");
  } catch (...) {
    return problem(500, "internal error");
  }
}

HttpResponse response_of(const Answer& found, bool overlay) {
  HttpResponse response;
  if (overlay) {
    response.type = "image/jpeg";
    response.body.assign(reinterpret_cast<const char*>(found.overlay.data()), found.overlay.size());
  } else {
    media::append_json_line(response.body, found.faces);
  }
  return response;
}

bool in_3d(const HttpRequest& request) {
  return request.parameter("face3d") == "1" || request.parameter("mesh") == "1";
}

// What a request for faces in three dimensions says that makes no sense; empty: nothing.
std::string fault_of(const HttpRequest& request, const Service& service) {
  for (const char* name : {"face3d", "mesh"}) {
    const std::string value = request.parameter(name);
    if (!value.empty() && value != "0" && value != "1")
      return base::concat("parameter ", name, ": expected 0 or 1, found \"", value.substr(0, 40), "\"");
  }
  if (request.parameter("face3d") == "0" && request.parameter("mesh") == "1")
    return "parameter mesh: there is none with face3d=0";
  return in_3d(request) ? service.no_heads() : "";
}

HttpLimits limits_of(const ServerOptions& options, const Service& service) {
  HttpLimits limits = options.limits;
  limits.body_bytes = service.options().limits.max_file_bytes + kFormBytes;
  return limits;
}

}  // namespace

struct Server::Impl {
  using Get = std::function<HttpResponse()>;

  Impl(Service& the_service, const ServerOptions& the_options);

  std::optional<HttpResponse> admit(const HttpRequest& request) const;
  void handle(HttpRequest request, const HttpHandler::Reply& reply);
  void analyze(HttpRequest request, const HttpHandler::Reply& reply);
  Task task_of(HttpRequest request) const;
  void add_small_routes();
  void add_page();
  std::string metrics_text() const;
  void note(const HttpRequest& request, int status, std::size_t bytes, double seconds);

  Service& service;
  ServerOptions options;
  Metrics metrics;
  std::atomic<bool> ready = false;
  std::map<std::string, Get> pages;  // what GET and HEAD answer
  HttpFront front;
};

Server::Impl::Impl(Service& the_service, const ServerOptions& the_options)
    : service(the_service),
      options(the_options),
      front(limits_of(the_options, the_service),
            {.admit = [this](const HttpRequest& request) { return admit(request); },
             .handle = [this](HttpRequest request,
                              const HttpHandler::Reply& reply) { handle(std::move(request), reply); },
             .note = [this](const HttpRequest& request, int status, std::size_t bytes,
                            double seconds) { note(request, status, bytes, seconds); },
             .tick = [this](Clock::time_point now) { service.expire(now); }}) {
  add_small_routes();
  add_page();
}

void Server::Impl::add_small_routes() {
  const auto text = [](int status, const char* body) {
    return HttpResponse{.status = status, .type = "text/plain", .body = body};
  };
  pages["/healthz"] = [text] { return text(200, "ok\n"); };
  pages["/readyz"] = [this, text] { return ready ? text(200, "ready\n") : text(503, "ending\n"); };
  pages["/metrics"] = [this] {
    return HttpResponse{.type = "text/plain; version=0.0.4", .body = metrics_text()};
  };
  pages["/openapi.json"] = [] { return HttpResponse{.body = kOpenApi}; };
  pages["/v1/model"] = [this] { return HttpResponse{.body = service.model()}; };
  if (service.fits_heads())
    pages["/v1/mesh"] = [this] {  // large enough to count what those hold who do not read
      if (static_cast<std::int64_t>(front.counts().held_bytes) > options.limits.held_bytes)
        return come_again(503, "too many bytes of other requests are held");
      return HttpResponse{.body = service.triangles(), .headers = {{"Cache-Control", "max-age=3600"}}};
    };
}

void Server::Impl::add_page() {
  for (const PageFile& file : std::span(kPageFiles, kPageFileCount))
    pages[file.path] = [&file] {
      return HttpResponse{.type = file.type,
                          .body = file.text,
                          .headers = {{"Content-Security-Policy", kPolicy},
                                      {"Referrer-Policy", "no-referrer"},
                                      {"Cache-Control", "no-cache"}}};
    };
}

std::string Server::Impl::metrics_text() const {
  std::string text = service.metrics();
  const HttpCounts counts = front.counts();
  append_metric(text, "spiga_connections", "gauge", "Connections of clients.", counts.connections);
  append_metric(text, "spiga_held_bytes", "gauge", "Bodies and answers in memory.", counts.held_bytes);
  append_metric(text, "spiga_refused_connections_total", "counter",
                "Connections over the limit of all or of an address.", counts.refused_connections);
  append_metric(text, "spiga_slow_clients_total", "counter", "Requests that came too slowly.",
                counts.slow_clients);
  metrics.append(text);
  return text;
}

// Unknown paths, wrong methods and strangers; their bodies are not read.
std::optional<HttpResponse> Server::Impl::admit(const HttpRequest& request) const {
  const bool analyzes = request.path == "/v1/analyze";
  if (!analyzes && !pages.contains(request.path)) return problem(404, "no such path");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (analyzes ? request.method != "POST" : !reads) {
    const std::string allowed = analyzes ? "POST" : "GET, HEAD";
    HttpResponse response = problem(405, "this path takes " + allowed);
    response.headers.emplace_back("Allow", allowed);
    return response;
  }
  if (!analyzes) return pages.at(request.path)();
  if (!options.token.empty() && !is_authorized(request.authorization, options.token)) {
    HttpResponse response = problem(401, "bearer token missing or wrong");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  if (const std::string fault = fault_of(request, service); !fault.empty()) return problem(400, fault);
  return {};
}

void Server::Impl::handle(HttpRequest request, const HttpHandler::Reply& reply) {
  try {
    analyze(std::move(request), reply);
  } catch (...) {
    reply(refusal_of(std::current_exception()));
  }
}

Task Server::Impl::task_of(HttpRequest request) const {
  Task task{.body = std::move(request.body),
            .overlay = request.parameter("overlay") == "1",
            .in_3d = in_3d(request),
            .mesh = request.parameter("mesh") == "1",
            .deadline = request.deadline};
  task.picture = task.body;  // moving the vector leaves its bytes where they are
  if (is_form(request.content_type)) {
    const std::vector<FormPart> parts = parse_form(task.body, request.content_type);
    const FormPart& part = picture_of(parts);
    task.picture = part.content;
    task.name = part.file_name;
  }
  return task;
}

void Server::Impl::analyze(HttpRequest request, const HttpHandler::Reply& reply) {
  Task task = task_of(std::move(request));
  const std::int64_t most = service.options().limits.max_file_bytes;
  if (static_cast<std::int64_t>(task.picture.size()) > most)
    return reply(problem(413, base::concat("more than ", most, " bytes")));
  if (!task.picture.empty() && !media::is_known_picture(task.picture))
    return reply(problem(415, "not a picture (JPEG, PNG, BMP, WebP, TIFF and PNM are known)"));
  const bool overlay = task.overlay;
  service.submit(std::move(task), [reply, overlay](const std::exception_ptr& fault, const Answer& answer) {
    HttpResponse response;
    try {
      response = fault ? refusal_of(fault) : response_of(answer, overlay);
    } catch (...) {
      response = {.status = 500, .type = "text/plain"};  // not even memory for words
    }
    reply(std::move(response));
  });
}

void Server::Impl::note(const HttpRequest& request, int status, std::size_t bytes, double seconds) {
  metrics.count(status, seconds);
  if (!options.log) return;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::string line = "{\"time\": ";
  media::append_number(line, now, 3);
  line += ", \"client\": ";
  media::append_json_text(line, request.client);
  line += ", \"method\": ";
  media::append_json_text(line, request.method);
  line += ", \"path\": ";
  media::append_json_text(line, request.path);
  line += base::concat(", \"status\": ", status, ", \"bytes\": ", bytes, ", \"ms\": ");
  media::append_number(line, seconds * 1000, 1);
  options.log(line + "}");
}

Server::Server(Service& service, const ServerOptions& options)
    : impl_(std::make_unique<Impl>(service, options)) {}

Server::~Server() = default;

int Server::bind() { return impl_->front.bind(impl_->options.host, impl_->options.port); }

void Server::run(const std::function<bool()>& stop) {
  impl_->ready = true;
  impl_->front.run([&] {
    const bool ends = stop();
    if (ends) impl_->ready = false;
    return ends;
  });
  impl_->ready = false;
}

}  // namespace spiga::serve
