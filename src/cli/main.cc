// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <string_view>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "spiga/version.h"

namespace spiga::cli {
namespace {

static_assert(std::string_view(SPIGA_VERSION) == SPIGA_PROJECT_VERSION,
              "version.h and CMakeLists.txt disagree");

void add_commands(CLI::App& program, Action& chosen) {
  static_cast<void>(program);
  static_cast<void>(chosen);
#if SPIGA_WITH_TRAIN
  // add_train, add_pack, add_export
#endif
}

// Help and version go to stdout with status 0, mistakes to stderr as one line with status 2.
int report_parse(const CLI::App& program, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return program.exit(error);
  print_error((std::string(error.what()) + " (see spiga --help)").c_str());
  return kUsage;
}

int run(int argc, char** argv) {
  CLI::App program("spiga: facial landmarks and head pose of every face in pictures and videos", "spiga");
  program.set_version_flag("--version", "spiga " SPIGA_VERSION);
  program.set_help_all_flag("--help-all", "Print the help of every command");
  program.require_subcommand(1);
  program.footer("Each command explains itself, with an example: spiga COMMAND --help");
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
}  // namespace spiga::cli

int main(int argc, char** argv) {
  using namespace spiga::cli;
  try {
    return run(argc, argv);
  } catch (const spiga::Error& error) {
    print_error(error.what());
    return exit_status_of(error.code());
  } catch (const std::exception& error) {
    print_error((std::string("internal error: ") + error.what()).c_str());
    return kInternal;
  }
}
