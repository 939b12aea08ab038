// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/torch_checkpoint.h"

#include <zip.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::weights {
namespace {

using base::concat;
using base::printable;

constexpr std::uint64_t kMaxPickleBytes = std::uint64_t{8} << 20;  // published ones: a third of a MB
constexpr std::string_view kPickleName = "/data.pkl";

// What libzip says of an archive that it would not open.
std::string text_of(zip_error_t& error) {
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

bool is_dense(const PickledTensor& tensor) {
  std::int64_t stride = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != stride) return false;
    stride *= tensor.shape[i];
  }
  return true;
}

// Copies a view's elements, row-major, one after another.
std::vector<std::uint8_t> gather(const PickledTensor& tensor, std::span<const std::uint8_t> storage) {
  const std::size_t size = size_of(tensor.dtype);
  const std::size_t count = static_cast<std::size_t>(*element_count(tensor.shape));
  std::vector<std::uint8_t> dense(count * size);
  std::vector<std::int64_t> index(tensor.shape.size(), 0);
  Shape strides = tensor.strides;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    if (tensor.shape[d] == 1) strides[d] = 0;  // means nothing, so may be anything
  }
  std::int64_t source = tensor.offset;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(dense.data() + i * size, storage.data() + static_cast<std::size_t>(source) * size, size);
    for (std::size_t d = index.size(); d-- > 0;) {
      source += strides[d];
      if (++index[d] < tensor.shape[d]) break;
      source -= strides[d] * tensor.shape[d];
      index[d] = 0;
    }
  }
  return dense;
}

}  // namespace

void TorchCheckpoint::CloseArchive::operator()(zip* archive) const { zip_discard(archive); }

TorchCheckpoint::TorchCheckpoint(TorchCheckpoint&&) noexcept = default;
TorchCheckpoint::~TorchCheckpoint() = default;

TorchCheckpoint::TorchCheckpoint(const std::filesystem::path& path) : file_(path) {
  open();
  list_records();
  check_byte_order();
  const std::string name = prefix_ + "data.pkl";
  tensors_ = read_pickled_state_dict(read_record(name, kMaxPickleBytes), concat(path.native(), ": ", name));
}

void TorchCheckpoint::fail(const std::string& what) const {
  throw Error(ErrorCode::bad_data, concat(path().native(), ": ", what));
}

void TorchCheckpoint::open() {
  if (file_.size() == 0) fail("expected a PyTorch checkpoint, found an empty file");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file_.data(), file_.size(), 0, &error);
  if (source == nullptr) fail(text_of(error));
  archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!archive_) {
    zip_source_free(source);
    fail(concat("expected a checkpoint of PyTorch 1.6 or later (a zip archive): ", text_of(error)));
  }
  zip_error_fini(&error);
}

void TorchCheckpoint::list_records() {
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive_.get(), i, ZIP_FL_ENC_RAW);
    if (name == nullptr) fail(concat("record ", i, ": expected a name"));
    if (!records_.emplace(name, i).second) fail(concat("record '", printable(name), "': found twice"));
    const std::string_view text = name;
    if (text.ends_with(kPickleName) && text.find('/') == text.size() - kPickleName.size()) {
      if (!prefix_.empty()) fail("expected one data.pkl, found two");
      prefix_ = text.substr(0, text.size() - kPickleName.size() + 1);
    }
  }
  if (prefix_.empty()) fail("expected a PyTorch checkpoint, found a zip archive without data.pkl");
}

void TorchCheckpoint::check_byte_order() const {
  const std::string name = prefix_ + "byteorder";
  if (!records_.contains(name)) return;  // PyTorch before 2.1 does not say, and writes the machine's: little
  const std::vector<std::uint8_t> text = read_record(name, 64);
  const std::string order(text.begin(), text.end());
  if (order != "little") fail(concat(name, ": expected little, found '", printable(order), "'"));
}

std::vector<std::uint8_t> TorchCheckpoint::read_record(const std::string& name,
                                                       std::uint64_t max_bytes) const {
  const auto found = records_.find(name);
  if (found == records_.end()) fail(concat("record '", printable(name), "': expected, found none"));
  zip_stat_t facts;
  if (zip_stat_index(archive_.get(), found->second, 0, &facts) != 0) {
    fail(concat("record '", printable(name), "': ", zip_strerror(archive_.get())));
  }
  if (facts.comp_method != ZIP_CM_STORE || facts.encryption_method != ZIP_EM_NONE) {
    fail(concat("record '", printable(name),
                "': expected bytes as they are, found compressed or encrypted ones"));
  }
  if (facts.size != facts.comp_size || facts.size > file_.size() || facts.size > max_bytes) {
    fail(concat("record '", printable(name), "': expected at most ",
                std::min<std::uint64_t>(file_.size(), max_bytes), " bytes, found ", facts.size,
                " announced"));
  }
  std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> record(zip_fopen_index(archive_.get(), found->second, 0),
                                                           zip_fclose);
  if (!record) fail(concat("record '", printable(name), "': ", zip_strerror(archive_.get())));
  std::vector<std::uint8_t> bytes(facts.size);
  std::uint8_t beyond;
  // The read beyond the end makes libzip compare checksums.
  if (zip_fread(record.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()) ||
      zip_fread(record.get(), &beyond, 1) != 0) {
    fail(concat("record '", printable(name),
                "': damaged: ", zip_error_strerror(zip_file_get_error(record.get()))));
  }
  return bytes;
}

std::vector<std::uint8_t> TorchCheckpoint::read(const PickledTensor& tensor) const {
  const std::string name = concat(prefix_, "data/", tensor.storage);
  std::vector<std::uint8_t> storage = read_record(name, file_.size());
  const std::size_t size = size_of(tensor.dtype);
  if (storage.size() % size != 0 ||
      storage.size() / size != static_cast<std::uint64_t>(tensor.storage_elements)) {
    fail(concat("record '", printable(name), "': expected ", tensor.storage_elements, " elements of ",
                name_of(tensor.dtype), ", found ", storage.size(), " bytes"));
  }
  if (*element_count(tensor.shape) == 0) return {};
  if (!is_dense(tensor)) return gather(tensor, storage);
  const auto begin = storage.begin() + tensor.offset * static_cast<std::int64_t>(size);
  storage.erase(begin + *element_count(tensor.shape) * static_cast<std::int64_t>(size), storage.end());
  storage.erase(storage.begin(), begin);
  return storage;
}

}  // namespace spiga::weights
