// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "weights/pickle.h"

struct zip;

namespace spiga::weights {

// A state dict saved by PyTorch 1.6 or later (torch.save: a zip of one pickle and one record per storage).
// Nothing in it is executed. Records must be stored, not compressed, as torch.save writes them, so that no
// archive unpacks to more than its own size; big-endian ones are refused. Move-only; not thread-safe.
class TorchCheckpoint {
 public:
  // Reads the list of tensors, not their elements. Throws Error(not_found) when the file cannot be opened,
  // Error(bad_data) when it is not such a checkpoint, saying what was refused and where.
  explicit TorchCheckpoint(const std::filesystem::path& path);
  TorchCheckpoint(TorchCheckpoint&&) noexcept;
  ~TorchCheckpoint();

  const std::filesystem::path& path() const { return file_.path(); }
  const std::vector<PickledTensor>& tensors() const { return tensors_; }

  // The elements of one of the tensors(), dense and row-major, in the tensor's dtype. Throws Error(bad_data)
  // when its record is missing, damaged or of another size than the pickle says.
  std::vector<std::uint8_t> read(const PickledTensor& tensor) const;

 private:
  struct CloseArchive {
    void operator()(zip* archive) const;
  };

  void open();
  void list_records();
  void check_byte_order() const;
  std::vector<std::uint8_t> read_record(const std::string& name, std::uint64_t max_bytes) const;
  [[noreturn]] void fail(const std::string& what) const;

  base::MappedFile file_;
  std::unique_ptr<zip, CloseArchive> archive_;
  std::map<std::string, std::uint64_t> records_;  // name -> index in the archive
  std::string prefix_;                            // "archive/": what every record's name begins with
  std::vector<PickledTensor> tensors_;
};

}  // namespace spiga::weights
