// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::testing {

// Assembles pickles opcode by opcode, right ones and wrong ones.
class PickleWriter {
 public:
  explicit PickleWriter(std::string_view start = "\x80\x02") : pickle_(start) {}

  PickleWriter& raw(std::string_view opcodes) {
    pickle_ += opcodes;
    return *this;
  }

  PickleWriter& text(std::string_view value) {
    return raw("X").little_endian(static_cast<std::uint32_t>(value.size())).raw(value);
  }

  PickleWriter& integer(std::int64_t value) { return raw("\x8a\x08").little_endian(value); }

  PickleWriter& tuple(const std::vector<std::int64_t>& values) {
    raw("(");
    for (const std::int64_t value : values) integer(value);
    return raw("t");
  }

  PickleWriter& global(std::string_view module, std::string_view name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }

  PickleWriter& ordered_dict() { return global("collections", "OrderedDict").raw(")R"); }

  PickleWriter& storage(std::string_view type, std::string_view key, std::int64_t elements) {
    raw("(").text("storage").global("torch", type).text(key).text("cpu").integer(elements);
    return raw("tQ");
  }

  PickleWriter& tensor(std::string_view type, std::string_view key, std::int64_t elements,
                       std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
    global("torch._utils", "_rebuild_tensor_v2").raw("(").storage(type, key, elements).integer(offset);
    return tuple(shape).tuple(strides).raw("\x89").ordered_dict().raw("tR");
  }

  const std::string& str() const { return pickle_; }

 private:
  template <typename T>
  PickleWriter& little_endian(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    return raw({bytes, sizeof value});
  }

  std::string pickle_;
};

}  // namespace spiga::testing
