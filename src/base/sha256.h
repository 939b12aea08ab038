// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace spiga::base {

// SHA-256 (FIPS 180-4) of bytes that come piece by piece: what tells whether a file has changed. One thread
// at a time.
class Sha256 {
 public:
  void add(std::span<const std::uint8_t> bytes);
  void add(std::string_view text);
  // The digest as 64 hexadecimal digits; nothing may be added after it.
  std::string hex();

 private:
  void take_block(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_ = {};
  std::size_t filled_ = 0;  // of block_
  std::uint64_t bytes_ = 0;
};

std::string sha256_of(std::string_view text);
// Of a file's content, read in pieces of a megabyte. Throws Error(not_found), Error(io).
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace spiga::base
