// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::weights {
namespace {

using base::concat;
using base::printable;

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr std::size_t kMaxDimensions = 16;
constexpr const char* kMetadataKey = "__metadata__";

// A tensor's entry of the header, as read so far.
struct Entry {
  std::string name;
  std::optional<DType> dtype;
  std::optional<Shape> shape;
  std::vector<std::uint64_t> offsets;
};

// Reads the header's JSON event by event, so that a hostile header is refused at its first wrong byte and
// never becomes a tree: {name: {"dtype": string, "shape": [whole], "data_offsets": [whole, whole]},
// "__metadata__": {string: string}}. Events return true or throw.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string_view where) : where_(where) {}

  Metadata metadata;
  std::vector<Entry> entries;

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_float(number_float_t, const string_t& text) override { return unexpected(text); }
  bool binary(binary_t&) override { return unexpected("binary"); }
  bool number_integer(number_integer_t value) override { return unexpected(concat(value)); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) return take_size(value);
    if (place_ == Place::offsets && entries.back().offsets.size() < 2) {
      entries.back().offsets.push_back(value);
      return true;
    }
    return unexpected(concat(value));
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      if (!metadata.emplace(key_, value).second)
        fail(concat("metadata '", printable(key_), "': found twice"));
      return true;
    }
    if (place_ == Place::entry && key_ == "dtype") return take_dtype(value);
    return unexpected(concat('\'', printable(value), '\''));
  }

  bool key(string_t& value) override {
    key_ = value;
    if (place_ == Place::top && key_ != kMetadataKey && !names_.insert(key_).second) {
      fail(concat("tensor '", printable(key_), "': found twice"));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == kMetadataKey) {
      if (std::exchange(has_metadata_, true)) fail("__metadata__: found twice");
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      entries.push_back({.name = key_, .dtype = {}, .shape = {}, .offsets = {}});
      place_ = Place::entry;
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry) finish_entry();
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::entry && key_ == "shape" && !entries.back().shape) {
      entries.back().shape.emplace();
      place_ = Place::shape;
    } else if (place_ == Place::entry && key_ == "data_offsets" && entries.back().offsets.empty()) {
      place_ = Place::offsets;
    } else {
      return unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    place_ = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail(concat("header: expected JSON, found something else at byte ", position));
  }

 private:
  enum class Place { start, top, metadata, entry, shape, offsets, end };

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::bad_data, concat(where_, ": ", what));
  }

  bool unexpected(const std::string& found) const {
    const std::string holder =
        place_ == Place::metadata || place_ == Place::start || place_ == Place::top
            ? concat("header: '", printable(key_), "'")
            : concat("tensor '", printable(entries.back().name), "': ", printable(key_));
    const char* expected =
        place_ == Place::metadata ? "a string"
        : place_ == Place::start || place_ == Place::top
            ? "an object"
            : "dtype (a string), shape (whole numbers) or data_offsets (two whole numbers)";
    fail(concat(holder, ": expected ", expected, ", found ", printable(found)));
  }

  bool take_size(std::uint64_t value) {
    Shape& shape = *entries.back().shape;
    if (value > static_cast<std::uint64_t>(INT64_MAX) || shape.size() == kMaxDimensions) {
      return unexpected(concat(value));
    }
    shape.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool take_dtype(const std::string& value) {
    Entry& entry = entries.back();
    if (entry.dtype) fail(concat("tensor '", printable(entry.name), "': dtype: found twice"));
    entry.dtype = dtype_from_name(value);
    if (!entry.dtype) {
      fail(concat("tensor '", printable(entry.name),
                  "': dtype: expected BOOL, U8, I8, I16, I32, I64, F16, BF16, F32 or F64, found '",
                  printable(value), "'"));
    }
    return true;
  }

  void finish_entry() const {
    const Entry& entry = entries.back();
    const char* missing = !entry.dtype                ? "dtype"
                          : !entry.shape              ? "shape"
                          : entry.offsets.size() != 2 ? "data_offsets with two numbers"
                                                      : nullptr;
    if (missing != nullptr)
      fail(concat("tensor '", printable(entry.name), "': expected ", missing, ", found none"));
  }

  std::string_view where_;
  Place place_ = Place::start;
  std::string key_;
  bool has_metadata_ = false;
  std::unordered_set<std::string> names_;
};

// The entry as a tensor, once its byte range has been held against the data and its own shape.
NamedTensor tensor_of(Entry& entry, std::span<const std::uint8_t> data, std::string_view where) {
  const std::uint64_t begin = entry.offsets[0];
  const std::uint64_t end = entry.offsets[1];
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::bad_data, concat(where, ": tensor '", printable(entry.name), "': ", what));
  };
  if (begin > end || end > data.size()) {
    fail(concat("data_offsets: expected a range within ", data.size(), " bytes, found [", begin, ", ", end,
                "]"));
  }
  std::optional<std::int64_t> bytes = element_count(*entry.shape);
  if (bytes && __builtin_mul_overflow(*bytes, static_cast<std::int64_t>(size_of(*entry.dtype)), &*bytes)) {
    bytes.reset();
  }
  if (!bytes || static_cast<std::uint64_t>(*bytes) != end - begin) {
    fail(concat("data_offsets: expected ", bytes ? concat(*bytes) : "fewer than 2^63", " bytes of ",
                name_of(*entry.dtype), ' ', to_string(*entry.shape), ", found ", end - begin));
  }
  return {std::move(entry.name), {*entry.dtype, std::move(*entry.shape), data.subspan(begin, end - begin)}};
}

// Byte ranges must tile the data: what no tensor owns could hide anything, and what two own is a mistake.
void require_tiling(std::span<const NamedTensor> tensors, std::span<const std::uint8_t> data,
                    std::string_view where) {
  const std::uint8_t* expected = data.data();
  for (const NamedTensor& named : tensors) {
    const std::uint8_t* begin = named.tensor.bytes.data();
    if (begin != expected) {
      throw Error(ErrorCode::bad_data,
                  concat(where, ": tensor '", printable(named.name), "': data_offsets: expected to begin at ",
                         expected - data.data(), ", found ", begin - data.data(),
                         begin < expected ? " (overlaps the tensor before)" : " (leaves a hole)"));
    }
    expected = begin + named.tensor.bytes.size();
  }
  const auto used = static_cast<std::size_t>(expected - data.data());
  if (used != data.size()) {
    throw Error(ErrorCode::bad_data,
                concat(where, ": expected ", used, " bytes of data, found ", data.size()));
  }
}

std::string_view header_of(std::span<const std::uint8_t> bytes, std::string_view where) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) {
    throw Error(ErrorCode::bad_data,
                concat(where, ": expected a safetensors file, found ", bytes.size(), " bytes in all"));
  }
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeaderBytes) {
    throw Error(ErrorCode::bad_data,
                concat(where, ": header: expected at most ", kMaxHeaderBytes, " bytes, found ", length));
  }
  if (length > bytes.size() - sizeof length) {
    throw Error(ErrorCode::bad_data, concat(where, ": header: expected ", length, " bytes, found ",
                                            bytes.size() - sizeof length, " (truncated file)"));
  }
  return {reinterpret_cast<const char*>(bytes.data()) + sizeof length, length};
}

std::uint64_t padded(std::uint64_t size) { return (size + 7) / 8 * 8; }

void require_consistent(const std::vector<NamedTensor>& tensors) {
  std::unordered_set<std::string_view> names;
  for (const NamedTensor& named : tensors) {
    const auto count = element_count(named.tensor.shape);
    const std::size_t bytes = named.tensor.bytes.size();
    if (!count || static_cast<std::uint64_t>(*count) * size_of(named.tensor.dtype) != bytes) {
      throw Error(ErrorCode::invalid_argument, concat("tensor '", printable(named.name), "': ", bytes,
                                                      " bytes do not fit ", to_string(named.tensor.shape)));
    }
    if (named.name == kMetadataKey || !names.insert(named.name).second) {
      throw Error(ErrorCode::invalid_argument,
                  concat("tensor '", printable(named.name), "': name used twice"));
    }
  }
}

std::string header_for(const std::vector<const NamedTensor*>& tensors, const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  std::uint64_t offset = 0;
  for (const NamedTensor* named : tensors) {
    const std::uint64_t end = offset + named->tensor.bytes.size();
    header.push_back({named->name,
                      {{"dtype", name_of(named->tensor.dtype)},
                       {"shape", named->tensor.shape},
                       {"data_offsets", {offset, end}}}});
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::type_error&) {  // names and metadata must be UTF-8
    throw Error(ErrorCode::invalid_argument, "safetensors header: expected UTF-8 names and metadata");
  }
  text.resize(padded(text.size()), ' ');
  return text;
}

}  // namespace

ParsedSafetensors parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view where) {
  const std::string_view header = header_of(bytes, where);
  HeaderReader reader(where);
  nlohmann::json::sax_parse(header.begin(), header.end(), &reader);
  const std::span<const std::uint8_t> data = bytes.subspan(sizeof(std::uint64_t) + header.size());
  ParsedSafetensors parsed{std::move(reader.metadata), {}};
  for (Entry& entry : reader.entries) parsed.tensors.push_back(tensor_of(entry, data, where));
  std::stable_sort(parsed.tensors.begin(), parsed.tensors.end(),
                   [](const NamedTensor& a, const NamedTensor& b) {
                     const auto range = [](const NamedTensor& t) {
                       return std::pair(t.tensor.bytes.data(), t.tensor.bytes.size());
                     };
                     return range(a) < range(b);  // an empty tensor before the one that begins where it does
                   });
  require_tiling(parsed.tensors, data, where);
  return parsed;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path) {
  ParsedSafetensors parsed = parse_safetensors(file_.bytes(), path.native());
  metadata_ = std::move(parsed.metadata);
  tensors_ = std::move(parsed.tensors);
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &tensors_[found->second].tensor;
}

const TensorView& SafetensorsFile::at(std::string_view name, const Shape& shape) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) {
    throw Error(ErrorCode::bad_data, concat(path().native(), ": tensor '", printable(name), "': expected ",
                                            to_string(shape), ", found none"));
  }
  if (tensor->shape != shape) {
    throw Error(ErrorCode::bad_data, concat(path().native(), ": tensor '", printable(name), "': expected ",
                                            to_string(shape), ", found ", to_string(tensor->shape)));
  }
  return *tensor;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const Metadata& metadata) {
  require_consistent(tensors);
  std::vector<const NamedTensor*> ordered;
  for (const NamedTensor& named : tensors) ordered.push_back(&named);
  std::stable_sort(ordered.begin(), ordered.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return size_of(a->tensor.dtype) > size_of(b->tensor.dtype);
  });
  const std::string header = header_for(ordered, metadata);
  const std::uint64_t length = header.size();
  base::AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(header);
  for (const NamedTensor* named : ordered) file.write(named->tensor.bytes.data(), named->tensor.bytes.size());
  file.commit();
}

}  // namespace spiga::weights
