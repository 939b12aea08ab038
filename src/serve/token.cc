// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "spiga/error.h"

namespace spiga::serve {
namespace {

constexpr std::size_t kLongest = 4096;

// Digests are of one length, so that comparing them tells nothing of the token's.
std::array<unsigned char, SHA256_DIGEST_LENGTH> digest_of(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

}  // namespace

bool is_authorized(const std::string& header, const std::string& token) {
  const auto given = digest_of(header), expected = digest_of("Bearer " + token);
  return CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

std::string read_token(const std::filesystem::path& file) {
  std::string text = base::read_file(file, kLongest + 2);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const bool good = !text.empty() && text.size() <= kLongest &&
                    std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
  if (!good)
    throw Error(
        ErrorCode::bad_data,
        file.string() + ": expected a token: one line of 1 to 4096 printable characters without blanks");
  return text;
}

}  // namespace spiga::serve
