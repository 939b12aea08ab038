// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/http_message.h"

#include <string_view>

#include "base/text.h"
#include "media/face_text.h"

namespace spiga::serve {

std::string HttpRequest::parameter(const std::string& name) const {
  for (std::string_view rest = query; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (one.starts_with(name) && one.substr(name.size()).starts_with('='))
      return std::string(one.substr(name.size() + 1));
  }
  return {};
}

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

HttpResponse problem(int status, const std::string& detail) {
  HttpResponse response{.status = status, .type = "application/problem+json"};
  std::string text;
  media::append_json_text(text, detail);
  response.body =
      base::concat("{\"type\": \"about:blank\", \"title\": \"", reason_of(status), "\", \"status\": ", status,
                   ", \"detail\": ", text, ", \"error\": ", text, "}\n");
  return response;
}

}  // namespace spiga::serve
