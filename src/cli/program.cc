// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string_view>

#include "cli/exit_status.h"
#include "spiga/version.h"

namespace spiga::cli {
namespace {

static_assert(std::string_view(SPIGA_VERSION) == SPIGA_PROJECT_VERSION,
              "version.h and CMakeLists.txt disagree");

// Help and version go to stdout with status 0, mistakes to stderr as one line with status 2.
int report_parse(const CLI::App& program, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return program.exit(error);
  print_error((std::string(error.what()) + " (see " + program.get_name() + " --help)").c_str());
  return kUsage;
}

int parse_and_run(int argc, char** argv, const char* description,
                  void (*add_commands)(CLI::App& program, Action& chosen), std::string (*details)()) {
  CLI::App program(description, std::filesystem::path(argv[0]).filename().string());
  bool verbose = false;
  CLI::Option* version = program.set_version_flag("--version", [details, &verbose] {
    return "spiga " SPIGA_VERSION + (verbose && details ? details() : std::string());
  });
  program.add_flag("--verbose", verbose, "With --version: say which optional parts are in")
      ->needs(version)
      ->trigger_on_parse();
  program.set_help_all_flag("--help-all", "Print the help of every command");
  program.require_subcommand(1);
  program.footer("Each command explains itself, with an example: " + program.get_name() + " COMMAND --help");
  Action chosen;
  add_commands(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse(program, error);
  }
  return chosen();
}

}  // namespace

int run_program(int argc, char** argv, const char* description,
                void (*add_commands)(CLI::App& program, Action& chosen), std::string (*details)()) {
  try {
    return parse_and_run(argc, argv, description, add_commands, details);
  } catch (const Error& error) {
    print_error(error.what());
    return exit_status_of(error.code());
  } catch (const std::exception& error) {
    print_error((std::string("internal error: ") + error.what()).c_str());
    return kInternal;
  }
}

}  // namespace spiga::cli
