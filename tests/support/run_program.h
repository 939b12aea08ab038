// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace spiga::testing {

struct Outcome {
  int status = -1;  // exit status; 128 + signal where one ended it
  std::string out;
  std::string err;
};

// A program under test with its standard streams in files.
class RunningProgram {
 public:
  RunningProgram(const std::string& program, std::vector<std::string> arguments,
                 const std::string& input = "", std::vector<std::string> environment = {}) {
    base::write_file(folder_.path() / "in", input);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, (folder_.path() / "in").c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, (folder_.path() / "out").c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, (folder_.path() / "err").c_str(), O_WRONLY | O_CREAT, 0600);
    arguments.insert(arguments.begin(), program);
    for (char** variable = environ; *variable; ++variable)
      environment.push_back(*variable);  // the first one counts
    const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
    if (posix_spawn(&process_, program.c_str(), &actions, nullptr, argv.data(), envp.data()) != 0)
      process_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }

  void send(int signal_number) const { kill(process_, signal_number); }
  // What it has printed so far.
  std::string out() const { return base::read_file(folder_.path() / "out"); }

  Outcome wait() {
    int state = 0;
    if (process_ < 0 || waitpid(process_, &state, 0) != process_) return {};
    const int status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return {status, out(), base::read_file(folder_.path() / "err")};
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  }

  TemporaryFolder folder_;
  pid_t process_ = -1;
};

inline Outcome run_program(const std::string& program, std::vector<std::string> arguments,
                           const std::string& input = "", std::vector<std::string> environment = {}) {
  return RunningProgram(program, std::move(arguments), input, std::move(environment)).wait();
}

}  // namespace spiga::testing
