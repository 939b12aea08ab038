// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/pickle.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::weights {
namespace {

using base::concat;
using base::printable;

constexpr std::size_t kMaxDimensions = 16;

enum class Kind { none, boolean, integer, real, text, tuple, list, dict, global, storage, tensor };

constexpr const char* kKindNames[] = {"None",   "a boolean", "an integer", "a float",   "a string", "a tuple",
                                      "a list", "a dict",    "a global",   "a storage", "a tensor"};

const char* name_of(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

// A value on the machine's stack. Containers, storages and tensors live in the machine's tables and are meant
// by their index, so that values are small, copies are references (as in Python) and cycles cost nothing.
struct Value {
  Kind kind = Kind::none;
  std::int64_t number = 0;  // the integer, the boolean, the index in the table
  std::string_view text;    // points into the pickle
};

enum class Role { ordered_dict, rebuild_tensor, rebuild_parameter, storage_type };

// The names that a state dict may mention. None of them is looked up anywhere: each stands for code below.
struct Global {
  std::string_view module;
  std::string_view name;
  Role role;
  DType dtype;
};

constexpr Global kGlobals[] = {
    {"collections", "OrderedDict", Role::ordered_dict, {}},
    {"torch._utils", "_rebuild_tensor_v2", Role::rebuild_tensor, {}},
    {"torch._utils", "_rebuild_parameter", Role::rebuild_parameter, {}},
    {"torch", "FloatStorage", Role::storage_type, DType::f32},
    {"torch", "DoubleStorage", Role::storage_type, DType::f64},
    {"torch", "HalfStorage", Role::storage_type, DType::f16},
    {"torch", "BFloat16Storage", Role::storage_type, DType::bf16},
    {"torch", "LongStorage", Role::storage_type, DType::i64},
    {"torch", "IntStorage", Role::storage_type, DType::i32},
    {"torch", "ShortStorage", Role::storage_type, DType::i16},
    {"torch", "CharStorage", Role::storage_type, DType::i8},
    {"torch", "ByteStorage", Role::storage_type, DType::u8},
    {"torch", "BoolStorage", Role::storage_type, DType::boolean},
};

struct Storage {
  std::string_view key;
  DType dtype;
  std::int64_t elements;
};

class Machine {
 public:
  Machine(std::span<const std::uint8_t> pickle, std::string_view where) : bytes_(pickle), where_(where) {}

  std::vector<PickledTensor> run() {
    while (true) {
      at_ = position_;
      const std::uint8_t opcode = take_byte();
      if (opcode == '.') break;
      execute(opcode);
    }
    if (position_ != bytes_.size()) fail("expected the end of the pickle after STOP, found more");
    if (stack_.size() != 1 || !marks_.empty()) fail("expected one value at STOP");
    return state_dict_of(stack_.back());
  }

 private:
  using Values = std::vector<Value>;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::bad_data, concat(where_, ": offset ", at_, ": ", what));
  }

  // Reading -------------------------------------------------------------------------------------------------

  std::string_view take(std::size_t size) {
    if (size > bytes_.size() - position_) fail("expected more bytes, found the end (truncated)");
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + position_;
    position_ += size;
    return {begin, size};
  }

  std::uint8_t take_byte() { return static_cast<std::uint8_t>(take(1)[0]); }

  template <typename T>
  T take_little_endian() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::string_view take_line() {
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + position_;
    const std::string_view line(begin, bytes_.size() - position_);
    const std::size_t end = line.find('\n');
    if (end == std::string_view::npos) fail("expected the end of a line (truncated)");
    return take(end + 1).substr(0, end);
  }

  // Two's complement, as many bytes as the first one says.
  std::int64_t take_long() {
    const std::size_t size = take_byte();
    if (size > sizeof(std::int64_t)) fail("expected an integer of at most 64 bits");
    const std::string_view digits = take(size);
    std::int64_t value = size > 0 && (digits.back() & 0x80) != 0 ? -1 : 0;
    std::memcpy(&value, digits.data(), size);
    return value;
  }

  // The stack -----------------------------------------------------------------------------------------------

  void push(Kind kind, std::int64_t number = 0) { stack_.push_back({kind, number, {}}); }
  void push_text(std::string_view text) { stack_.push_back({Kind::text, 0, text}); }
  void push_container(Kind kind, Values items) {
    containers_.push_back(std::move(items));
    push(kind, static_cast<std::int64_t>(containers_.size()) - 1);
  }

  const Value& top() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("expected a value on the stack");
    return stack_.back();
  }

  Value pop() {
    const Value value = top();
    stack_.pop_back();
    return value;
  }

  Values pop_to_mark() {
    if (marks_.empty()) fail("expected a mark on the stack");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    Values values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }

  Values pop_many(std::size_t count) {
    Values values(count);
    for (std::size_t i = count; i-- > 0;) values[i] = pop();
    return values;
  }

  const Value& expect(Kind kind, const Value& value) const {
    if (value.kind != kind) fail(concat("expected ", name_of(kind), ", found ", name_of(value.kind)));
    return value;
  }

  Values& items_of(Kind kind, const Value& value) { return containers_[expect(kind, value).number]; }

  // Opcodes -------------------------------------------------------------------------------------------------

  void execute(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80:
        return check_protocol(take_byte());
      case 'N':
        return push(Kind::none);
      case 0x88:
        return push(Kind::boolean, 1);
      case 0x89:
        return push(Kind::boolean, 0);
      case 'J':
        return push(Kind::integer, take_little_endian<std::int32_t>());
      case 'K':
        return push(Kind::integer, take_byte());
      case 'M':
        return push(Kind::integer, take_little_endian<std::uint16_t>());
      case 0x8a:
        return push(Kind::integer, take_long());
      case 'G':
        return take(8), push(Kind::real);
      case 'X':
        return push_text(take(take_little_endian<std::uint32_t>()));
      case '(':
        return marks_.push_back(stack_.size());
      case ')':
        return push_container(Kind::tuple, {});
      case 't':
        return push_container(Kind::tuple, pop_to_mark());
      case 0x85:
        return push_container(Kind::tuple, pop_many(1));
      case 0x86:
        return push_container(Kind::tuple, pop_many(2));
      case 0x87:
        return push_container(Kind::tuple, pop_many(3));
      case ']':
        return push_container(Kind::list, {});
      case '}':
        return push_container(Kind::dict, {});
      case 'a':
        return extend(Kind::list, pop_many(1));
      case 'e':
        return extend(Kind::list, pop_to_mark());
      case 's':
        return extend(Kind::dict, pop_many(2));
      case 'u':
        return extend(Kind::dict, pop_to_mark());
      case 'q':
        return put(take_byte());
      case 'r':
        return put(take_little_endian<std::uint32_t>());
      case 'h':
        return get(take_byte());
      case 'j':
        return get(take_little_endian<std::uint32_t>());
      case 'c':
        return push_global();
      case 'Q':
        return push_storage();
      case 'R':
        return reduce();
      case 'b':
        return build();
      default:
        fail(concat("opcode ", static_cast<int>(opcode), " is not one that state dicts use: refused"));
    }
  }

  void check_protocol(int protocol) const {
    if (protocol != 2) fail(concat("expected pickle protocol 2, found ", protocol));
  }

  void extend(Kind kind, const Values& added) {
    if (kind == Kind::dict && added.size() % 2 != 0) fail("expected keys with values, found a key alone");
    Values& items = items_of(kind, top());
    items.insert(items.end(), added.begin(), added.end());
  }

  void put(std::uint32_t slot) { memo_[slot] = top(); }

  void get(std::uint32_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) fail(concat("nothing was put into memo ", slot));
    stack_.push_back(found->second);
  }

  void push_global() {
    const std::string_view module = take_line();
    const std::string_view name = take_line();
    const auto* found = std::find_if(std::begin(kGlobals), std::end(kGlobals), [&](const Global& global) {
      return global.module == module && global.name == name;
    });
    if (found == std::end(kGlobals)) {
      fail(concat("global '", printable(module), '.', printable(name),
                  "' is not one that state dicts use: refused"));
    }
    push(Kind::global, found - std::begin(kGlobals));
  }

  const Global& global_of(const Value& value) const { return kGlobals[expect(Kind::global, value).number]; }

  // ("storage", type, key, place, elements), and the place (cpu, cuda:0) does not matter.
  void push_storage() {
    const Values id = items_of(Kind::tuple, pop());
    if (id.size() != 5 || expect(Kind::text, id[0]).text != "storage")
      fail("expected a storage's persistent id");
    const Global& type = global_of(id[1]);
    if (type.role != Role::storage_type) fail("expected a storage type");
    storages_.push_back({expect(Kind::text, id[2]).text, type.dtype, expect(Kind::integer, id[4]).number});
    if (storages_.back().elements < 0) fail("expected a storage of at least 0 elements");
    push(Kind::storage, static_cast<std::int64_t>(storages_.size()) - 1);
  }

  void reduce() {
    const Values arguments = items_of(Kind::tuple, pop());
    const Global& global = global_of(pop());
    if (global.role == Role::ordered_dict && arguments.empty()) return push_container(Kind::dict, {});
    const bool tensor_arguments = arguments.size() == 6 || arguments.size() == 7;
    if (global.role == Role::rebuild_tensor && tensor_arguments) return push_tensor(arguments);
    if (global.role == Role::rebuild_parameter && arguments.size() == 3) {
      return stack_.push_back(expect(Kind::tensor, arguments[0]));
    }
    fail(concat("'", global.name, "' called with ", arguments.size(), " arguments: refused"));
  }

  // An OrderedDict's attributes (_metadata): of no use here.
  void build() {
    expect(Kind::dict, pop());
    expect(Kind::dict, top());
  }

  // (storage, offset, shape, strides, requires_grad, hooks, ...)
  void push_tensor(const Values& arguments) {
    const Storage& storage = storages_[expect(Kind::storage, arguments[0]).number];
    PickledTensor tensor{.name = {},
                         .dtype = storage.dtype,
                         .shape = sizes_of(arguments[2]),
                         .strides = sizes_of(arguments[3]),
                         .storage = std::string(storage.key),
                         .storage_elements = storage.elements,
                         .offset = expect(Kind::integer, arguments[1]).number};
    check_view(tensor);
    tensors_.push_back(std::move(tensor));
    push(Kind::tensor, static_cast<std::int64_t>(tensors_.size()) - 1);
  }

  Shape sizes_of(const Value& value) {
    const Values& items = items_of(Kind::tuple, value);
    if (items.size() > kMaxDimensions) fail(concat("expected at most ", kMaxDimensions, " dimensions"));
    Shape sizes;
    for (const Value& item : items) {
      sizes.push_back(expect(Kind::integer, item).number);
      if (sizes.back() < 0) fail("expected sizes and strides of at least 0");
    }
    return sizes;
  }

  // The view's last element lies within the storage, and there are no more of them than the storage has.
  void check_view(const PickledTensor& tensor) const {
    const auto count = element_count(tensor.shape);
    if (tensor.shape.size() != tensor.strides.size() || tensor.offset < 0 || !count) {
      fail("expected a tensor's offset, shape and strides");
    }
    std::int64_t last = tensor.offset;
    for (std::size_t i = 0; *count > 0 && i < tensor.shape.size(); ++i) {
      std::int64_t step;
      if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &step) ||
          __builtin_add_overflow(last, step, &last)) {
        fail("expected a tensor within 2^63 elements");
      }
    }
    if (*count > 0 && (last >= tensor.storage_elements || *count > tensor.storage_elements)) {
      fail(concat("expected a tensor within its storage of ", tensor.storage_elements, " elements, found ",
                  to_string(tensor.shape), " from ", tensor.offset, " with strides ",
                  to_string(tensor.strides)));
    }
  }

  // The result ----------------------------------------------------------------------------------------------

  std::vector<PickledTensor> state_dict_of(const Value& value) {
    const Values* items = &items_of(Kind::dict, value);
    for (std::size_t i = 0; i + 1 < items->size(); i += 2) {
      const Value& held = (*items)[i + 1];
      if ((*items)[i].text == "state_dict" && held.kind == Kind::dict) {
        items = &containers_[held.number];
        break;
      }
    }
    std::unordered_set<std::string_view> names;
    std::vector<PickledTensor> state;
    for (std::size_t i = 0; i + 1 < items->size(); i += 2) {
      const std::string_view name = expect(Kind::text, (*items)[i]).text;
      const Value& held = (*items)[i + 1];
      if (held.kind != Kind::tensor) {
        fail(concat("state dict: '", printable(name), "': expected a tensor, found ", name_of(held.kind)));
      }
      if (!names.insert(name).second) fail(concat("state dict: '", printable(name), "': found twice"));
      state.push_back(tensors_[held.number]);
      state.back().name = name;
    }
    return state;
  }

  const std::span<const std::uint8_t> bytes_;
  const std::string_view where_;
  std::size_t position_ = 0;
  std::size_t at_ = 0;  // where the opcode under way begins
  Values stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Value> memo_;
  std::vector<Values> containers_;
  std::vector<Storage> storages_;
  std::vector<PickledTensor> tensors_;
};

}  // namespace

std::vector<PickledTensor> read_pickled_state_dict(std::span<const std::uint8_t> pickle,
                                                   std::string_view where) {
  return Machine(pickle, where).run();
}

}  // namespace spiga::weights
