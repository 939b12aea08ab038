// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/sha256.h"

#include <gtest/gtest.h>

#include "spiga/error.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace spiga::base {
namespace {

// The examples of FIPS 180-4's companion (NIST, "SHA256.pdf") and of RFC 6234.
TEST(Sha256, gives_the_standards_examples) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, is_the_same_however_the_bytes_come) {
  const std::string text(1000, 'x');
  for (const std::size_t piece : {1, 7, 63, 64, 65, 200}) {
    Sha256 digest;
    for (std::size_t at = 0; at < text.size(); at += piece)
      digest.add(std::string_view(text).substr(at, piece));
    EXPECT_EQ(digest.hex(), sha256_of(text)) << piece;
  }
}

TEST(Sha256, of_a_file_is_that_of_its_content) {
  const spiga::testing::TemporaryFolder folder;
  const std::string content(3'000'001, 'y');
  spiga::testing::overwrite(folder.path() / "a", content);
  EXPECT_EQ(sha256_of_file(folder.path() / "a"), sha256_of(content));
  EXPECT_THROW(sha256_of_file(folder.path() / "none"), Error);
}

}  // namespace
}  // namespace spiga::base
