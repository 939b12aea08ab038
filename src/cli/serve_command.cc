// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/shared_options.h"
#include "serve/server.h"
#include "serve/token.h"

namespace spiga::cli {
namespace {

struct ServeOptions {
  serve::ServerOptions server;
  serve::ServiceOptions service;
  NetworkOptions network;
  int workers = 0;
  int megabytes = 20;
  int megapixels = 40;
  int held_megabytes = 256;
  std::string token_file = {};
};

int run_serve(ServeOptions options) {
  options.service.limits = {.max_pixels = options.megapixels * std::int64_t{1000000},
                            .max_file_bytes = options.megabytes * std::int64_t{1048576}};
  options.service.workers = options.workers > 0 ? options.workers : options.network.thread_count();
  options.network.apply_to(options.service.analyzer);
  options.server.limits.held_bytes = options.held_megabytes * std::int64_t{1048576};
  if (const char* token = std::getenv("SPIGA_TOKEN")) options.server.token = token;
  if (!options.token_file.empty()) options.server.token = serve::read_token(options.token_file);
  options.server.log = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  serve::Service service(options.service);
  serve::Server server(service, options.server);
  const int port = server.bind();
  catch_interrupts();
  std::signal(SIGPIPE, SIG_IGN);  // whoever read our lines may leave
  std::fprintf(stderr, "spiga: listening on http://%s:%d\n", options.server.host.c_str(), port);
  server.run(interrupted);
  return kDone;
}

}  // namespace

void add_serve(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = program.add_subcommand("serve", "Answer pictures over HTTP with faces");
  const auto number = [&](const char* name, int& value, int least, int most, const char* help) {
    command->add_option(name, value, help)
        ->type_name("N")
        ->check(CLI::Range(least, most).description(""))
        ->capture_default_str();
  };
  command->add_option("--host", options->server.host, "Address to listen on")
      ->type_name("HOST")
      ->capture_default_str();
  number("--port", options->server.port, 0, 65535, "Port; 0 is any free one");
  number("--workers", options->workers, 0, 1024, "Pictures worked on at a time; 0 is as many as --threads");
  number("--queue", options->service.queue, 1, 100000, "Requests under way or waiting; more get 429");
  serve::HttpLimits& limits = options->server.limits;
  number("--connections", limits.connections, 1, 100000, "Clients at a time");
  number("--connections-per-address", limits.per_address, 0, 100000, "Of these from one address; 0 is any");
  number("--max-megabytes", options->megabytes, 1, 1024, "Largest picture file");
  number("--max-megapixels", options->megapixels, 1, 1000, "Largest picture");
  number("--max-held-megabytes", options->held_megabytes, 1, 1000000,
         "Pictures and answers of all clients together");
  number("--min-rate", limits.bytes_per_second, 0, 1000000000, "Bytes that a client must send a second");
  const auto seconds = [&](const char* name, double& value, const char* help) {
    command->add_option(name, value, help)
        ->type_name("S")
        ->check(CLI::Range(0.1, 3600.0).description(""))
        ->capture_default_str();
  };
  seconds("--timeout", limits.seconds, "Seconds that a request may take until its turn");
  seconds("--header-timeout", limits.header_seconds, "Seconds until a request's header is there");
  seconds("--idle-timeout", limits.idle_seconds, "Seconds that a connection may stay without a request");
  command->add_option("--token-file", options->token_file, "File with the bearer token to ask for")
      ->type_name("FILE");
  add_network_options(*command, options->network);
  command->footer(
      "The environment variable SPIGA_TOKEN, where set, is the bearer token to ask for; a file is harder to "
      "see. One JSON line per "
      "answer on standard output; docs/http.md describes the service.\n\n"
      "Example:\n  spiga serve --port 8080 &\n"
      "  curl --data-binary @portrait.jpg http://127.0.0.1:8080/v1/analyze");
  command->callback([options, &chosen] { chosen = [options] { return run_serve(*options); }; });
}

}  // namespace spiga::cli
