// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <zip.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace spiga::testing {

struct ZipRecord {
  std::string name;
  std::string content;
  bool compressed = false;
};

inline void write_zip(const std::filesystem::path& path, const std::vector<ZipRecord>& records) {
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (archive == nullptr) throw std::runtime_error("zip_open failed");
  for (const ZipRecord& record : records) {
    zip_source_t* source = zip_source_buffer(archive, record.content.data(), record.content.size(), 0);
    const zip_int64_t index = zip_file_add(archive, record.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    const zip_int32_t method = record.compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
    if (index < 0 || zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0) != 0) {
      throw std::runtime_error("zip_file_add failed");
    }
  }
  if (zip_close(archive) != 0) throw std::runtime_error("zip_close failed");
}

}  // namespace spiga::testing
