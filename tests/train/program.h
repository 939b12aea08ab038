// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace spiga::testing {

// A program of ours as users start it. Killed, if it still runs, at the end of the scope.
class Program {
 public:
  // `environment` comes on top of ours; what it prints on stderr goes to the file `errors`.
  Program(const std::string& path, const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment, const std::filesystem::path& errors);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  void signal(int number) const;
  // Its exit status, or minus the signal that ended it.
  int wait();
  // What it has printed on stderr so far.
  std::string errors() const;

 private:
  std::filesystem::path errors_;
  pid_t child_ = 0;
};

// A TCP port that nobody listened on a moment ago.
int free_port();

}  // namespace spiga::testing
