// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "base/text.h"
#include "spiga/error.h"
#include "spiga/spiga.h"

// What every function of the C API does: nothing that is thrown leaves it, and the thread's last message says
// what went wrong.
namespace spiga::capi {

using base::concat;

inline constexpr std::size_t kLongestMessage = 1024;
inline thread_local char last_message[kLongestMessage] = "";

inline spiga_status fail(spiga_status status, const char* message) noexcept {
  std::snprintf(last_message, kLongestMessage, "%s", message);
  return status;
}

inline spiga_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return SPIGA_INVALID_ARGUMENT;
    case ErrorCode::not_found:
      return SPIGA_NOT_FOUND;
    case ErrorCode::io:
      return SPIGA_IO;
    case ErrorCode::bad_data:
      return SPIGA_BAD_DATA;
    case ErrorCode::unsupported:
      return SPIGA_UNSUPPORTED;
    case ErrorCode::interrupted:
      return SPIGA_INTERNAL;  // nothing here can be interrupted
  }
  return SPIGA_INTERNAL;
}

// Runs an action; whatever it throws becomes a status.
template <typename Action>
spiga_status guarded(const Action& action) noexcept {
  last_message[0] = '\0';
  try {
    action();
    return SPIGA_OK;
  } catch (const Error& error) {
    return fail(status_of(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return fail(SPIGA_OUT_OF_MEMORY, "not enough memory");
  } catch (const std::exception& error) {
    return fail(SPIGA_INTERNAL, error.what());
  } catch (...) {
    return fail(SPIGA_INTERNAL, "unknown exception");
  }
}

[[noreturn]] inline void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

template <typename T>
T& required(T* pointer, const char* name) {
  if (!pointer) refuse(concat(name, ": expected a pointer, found NULL"));
  return *pointer;
}

}  // namespace spiga::capi
