// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/form.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::serve {
namespace {

constexpr std::size_t kMostParts = 64;
constexpr std::size_t kMostHeader = 4096;
constexpr std::size_t kMostBoundary = 70;  // RFC 2046

[[noreturn]] void fail(const char* what) { throw Error(ErrorCode::bad_data, std::string("form: ") + what); }

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool begins_with(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && std::equal(with.begin(), with.end(), text.begin(), same_letter);
}

// Takes a value from the beginning of `text`: a token, or quoted with backslashes before quotes.
std::string take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const std::string_view token = text.substr(0, text.find(';'));
    text.remove_prefix(token.size());
    return std::string(base::trim(token));
  }
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\')) ++at;
    value += text[at];
  }
  text.remove_prefix(std::min(text.size(), at + 1));
  return value;
}

// Of "form-data; name=a; filename=b" the value behind `name`; nothing where it is absent.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  header.remove_prefix(std::min(header.size(), header.find(';')));
  while (header.starts_with(';')) {
    header = base::trim(header.substr(1));
    const std::string_view key = header.substr(0, header.find_first_of("=;"));
    header.remove_prefix(key.size());
    if (!header.starts_with('=')) continue;
    header = base::trim(header.substr(1));
    std::string value = take_value(header);
    const std::string_view plain = base::trim(key);
    if (plain.size() == name.size() && begins_with(plain, name)) return value;
    header.remove_prefix(std::min(header.size(), header.find(';')));
  }
  return {};
}

void read_header(std::string_view header, FormPart& part) {
  constexpr std::string_view kDisposition = "content-disposition:";
  bool named = false;
  while (!header.empty()) {
    const std::string_view line = header.substr(0, header.find("\r\n"));
    header.remove_prefix(std::min(header.size(), line.size() + 2));
    if (!begins_with(line, kDisposition)) continue;
    const std::string_view value = line.substr(kDisposition.size());
    const std::optional<std::string> name = parameter(value, "name");
    const std::optional<std::string> file = parameter(value, "filename");
    named = name.has_value();
    part.name = name.value_or("");
    part.file_name = file.value_or("");
    part.is_file = file.has_value();
  }
  if (!named) fail("a part has no name");
}

// Where `text` goes on behind the delimiter's line; "--" ends the form.
bool take_line_end(std::string_view& text) {
  if (text.starts_with("--")) return false;
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  if (!text.starts_with("\r\n")) fail("expected a line end behind the boundary");
  text.remove_prefix(2);
  return true;
}

}  // namespace

bool is_form(std::string_view content_type) {
  constexpr std::string_view kForm = "multipart/form-data";
  if (!begins_with(content_type, kForm)) return false;
  const std::string_view rest = base::trim(content_type.substr(kForm.size()));
  return rest.empty() || rest.starts_with(';');
}

std::vector<FormPart> parse_form(std::span<const std::uint8_t> body, std::string_view content_type) {
  const std::string boundary = parameter(content_type, "boundary").value_or("");
  if (boundary.empty() || boundary.size() > kMostBoundary) fail("expected a boundary of 1 to 70 characters");
  const std::string delimiter = "\r\n--" + boundary;
  std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  // The first may have no line end before it.
  const std::string_view first = std::string_view(delimiter).substr(2);
  const std::size_t begin = text.starts_with(first) ? 0 : text.find(delimiter);
  if (begin == std::string_view::npos) fail("the boundary does not occur");
  text.remove_prefix(begin + (text.starts_with(first) ? first.size() : delimiter.size()));
  std::vector<FormPart> parts;
  while (take_line_end(text)) {
    if (parts.size() == kMostParts) fail("more than 64 parts");
    const std::size_t head = text.substr(0, kMostHeader + 4).find("\r\n\r\n");
    if (head == std::string_view::npos) fail("a part's header has no end within 4096 bytes");
    FormPart part;
    read_header(text.substr(0, head), part);
    text.remove_prefix(head + 4);
    const std::size_t end = text.find(delimiter);
    if (end == std::string_view::npos) fail("a part has no end");
    part.content = {reinterpret_cast<const std::uint8_t*>(text.data()), end};
    text.remove_prefix(end + delimiter.size());
    parts.push_back(std::move(part));
  }
  return parts;
}

const FormPart& picture_of(std::span<const FormPart> parts) {
  const auto named = std::ranges::find(parts, "image", &FormPart::name);
  if (named != parts.end()) return *named;
  const auto file = std::ranges::find(parts, true, &FormPart::is_file);
  if (file == parts.end()) fail("expected a part named image or a file, found neither");
  return *file;
}

}  // namespace spiga::serve
