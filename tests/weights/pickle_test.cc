// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/pickle_writer.h"

namespace spiga::weights {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PickleWriter;

std::vector<PickledTensor> read(const std::string& pickle) {
  return read_pickled_state_dict({reinterpret_cast<const std::uint8_t*>(pickle.data()), pickle.size()},
                                 "c.pt");
}

std::string complaint(const std::string& pickle) {
  return testing::bad_data_of([&] { read(pickle); });
}

// A pickle of a dict with these items, each item a tensor "w" unless said otherwise.
std::string dict_with(const std::string& item) { return PickleWriter().raw("}(").raw(item).raw("u.").str(); }

std::string tensor_item(std::int64_t offset, const Shape& shape, const Shape& strides,
                        std::int64_t elements) {
  return PickleWriter("").text("w").tensor("FloatStorage", "0", elements, offset, shape, strides).str();
}

TEST(Pickle, ReadsAStateDictAsTorchWritesIt) {
  PickleWriter writer;
  writer.ordered_dict().raw("(");
  writer.text("a.weight").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
  writer.text("a.count").tensor("LongStorage", "1", 1, 0, {}, {});
  writer.raw("u}").text("_metadata").ordered_dict().raw("sb.");  // the dict's attributes
  const std::vector<PickledTensor> state = read(writer.str());
  ASSERT_EQ(state.size(), 2U);
  EXPECT_EQ(state[0].name, "a.weight");
  EXPECT_EQ(state[0].dtype, DType::f32);
  EXPECT_THAT(state[0].shape, ElementsAre(2, 3));
  EXPECT_THAT(state[0].strides, ElementsAre(3, 1));
  EXPECT_EQ(state[0].storage, "0");
  EXPECT_EQ(state[0].storage_elements, 6);
  EXPECT_EQ(state[1].dtype, DType::i64);
  EXPECT_THAT(state[1].shape, IsEmpty());
}

TEST(Pickle, EveryStorageTypeIsKnown) {
  const std::pair<const char*, DType> types[] = {
      {"FloatStorage", DType::f32},   {"DoubleStorage", DType::f64},    {"HalfStorage", DType::f16},
      {"LongStorage", DType::i64},    {"BFloat16Storage", DType::bf16}, {"IntStorage", DType::i32},
      {"ShortStorage", DType::i16},   {"CharStorage", DType::i8},       {"ByteStorage", DType::u8},
      {"BoolStorage", DType::boolean}};
  for (const auto& [name, dtype] : types) {
    const std::string item = PickleWriter("").text("w").tensor(name, "0", 1, 0, {1}, {1}).str();
    EXPECT_EQ(read(dict_with(item)).at(0).dtype, dtype) << name;
  }
}

TEST(Pickle, StateDictMayLieUnderItsKey) {
  PickleWriter writer;
  writer.raw("}(").text("epoch").integer(12).text("state_dict").raw("}(").raw(tensor_item(0, {1}, {1}, 1));
  writer.raw("u").text("lr").raw("G").raw(std::string(8, '\0')).text("sizes").raw("](K\x01K\x02").raw("e");
  writer.text("done").raw("\x88").text("none").raw("Nu.");
  const std::vector<PickledTensor> state = read(writer.str());
  ASSERT_EQ(state.size(), 1U);
  EXPECT_EQ(state[0].name, "w");
}

TEST(Pickle, IntegersOfEverySize) {
  PickleWriter writer("");
  writer.text("w").global("torch._utils", "_rebuild_tensor_v2").raw("(");
  writer.storage("FloatStorage", "0", 70000);
  writer.raw(std::string("\x8a\x01\x05", 3));                                  // LONG1: offset 5
  writer.raw(std::string("M\x2c\x01J\x03\0\0\0\x86", 9));                      // shape (300, 3)
  writer.raw(std::string("K\x03\x8a\x00\x86", 5)).raw("\x89").ordered_dict();  // strides (3, 0)
  const PickledTensor tensor = read(dict_with(writer.raw("tR").str())).at(0);
  EXPECT_EQ(tensor.offset, 5);
  EXPECT_THAT(tensor.shape, ElementsAre(300, 3));
  EXPECT_THAT(tensor.strides, ElementsAre(3, 0));
}

TEST(Pickle, ParametersAreTheirTensors) {
  PickleWriter writer("");
  writer.text("w").global("torch._utils", "_rebuild_parameter").raw("(");
  writer.tensor("FloatStorage", "0", 1, 0, {1}, {1}).raw("\x88").ordered_dict().raw("tR");
  EXPECT_EQ(read(dict_with(writer.str())).size(), 1U);
}

TEST(Pickle, ForeignGlobalsAreRefusedWithTheirOffset) {
  const std::string attack =
      PickleWriter().global("os", "system").raw("(").text("echo gone wrong").raw("tR.").str();
  EXPECT_THAT(complaint(attack),
              HasSubstr("c.pt: offset 2: global 'os.system' is not one that state dicts use"));
  for (const char* name : {"eval", "exec", "getattr", "__import__"}) {
    EXPECT_THAT(complaint(PickleWriter().global("builtins", name).raw(".").str()), HasSubstr("refused"))
        << name;
  }
  EXPECT_THAT(complaint(PickleWriter().global("torch", "load").raw(".").str()), HasSubstr("'torch.load'"));
  EXPECT_THAT(complaint(PickleWriter().global("a\x1b[2J", "b").raw(".").str()), HasSubstr("a\\x1b[2J.b"));
}

TEST(Pickle, ForeignOpcodesAreRefusedWithTheirOffset) {
  const std::string known = "N()tKJMXGqrhjcQRb]}aesu.";  // and what follows 0x7f; the rest is foreign
  for (int opcode = 0; opcode < 256; ++opcode) {
    const auto byte = static_cast<char>(opcode);
    if (known.find(byte) != std::string::npos) continue;
    if (opcode == 0x80 || (opcode >= 0x85 && opcode <= 0x8a)) continue;
    EXPECT_THAT(
        complaint(PickleWriter().raw("N").raw(std::string(1, byte)).str()),
        HasSubstr("c.pt: offset 3: opcode " + std::to_string(opcode) + " is not one that state dicts use"));
  }
}

TEST(Pickle, CallsOfTheWrongShapeAreRefused) {
  EXPECT_THAT(complaint(PickleWriter().global("collections", "OrderedDict").raw("]\x85R.").str()),
              HasSubstr("'OrderedDict' called with 1 arguments"));
  EXPECT_THAT(complaint(PickleWriter().global("torch", "FloatStorage").raw(")R.").str()),
              HasSubstr("'FloatStorage'"));
  EXPECT_THAT(complaint(PickleWriter().raw("N)R.").str()), HasSubstr("expected a global, found None"));
  EXPECT_THAT(complaint(PickleWriter().raw("NNR.").str()), HasSubstr("expected a tuple, found None"));
  EXPECT_THAT(complaint(PickleWriter().raw(")Q.").str()), HasSubstr("persistent id"));
  EXPECT_THAT(complaint(PickleWriter().raw("]}b.").str()), HasSubstr("expected a dict, found a list"));
}

TEST(Pickle, EveryTruncationIsRefused) {
  const std::string whole = dict_with(tensor_item(0, {2, 3}, {3, 1}, 6));
  ASSERT_EQ(read(whole).size(), 1U);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(complaint(whole.substr(0, size)), HasSubstr("truncated")) << size;
  }
  EXPECT_THAT(complaint(whole + "."), HasSubstr("expected the end of the pickle"));
}

TEST(Pickle, StackMistakesAreRefused) {
  EXPECT_THAT(complaint(PickleWriter().raw(".").str()), HasSubstr("expected one value at STOP"));
  EXPECT_THAT(complaint(PickleWriter().raw("}}.").str()), HasSubstr("expected one value at STOP"));
  EXPECT_THAT(complaint(PickleWriter().raw("}(.").str()), HasSubstr("expected one value at STOP"));
  EXPECT_THAT(complaint(PickleWriter().raw("t.").str()), HasSubstr("expected a mark"));
  EXPECT_THAT(complaint(PickleWriter().raw("N\x86.").str()), HasSubstr("expected a value on the stack"));
  EXPECT_THAT(complaint(PickleWriter().raw("N(q\x01.").str()), HasSubstr("expected a value on the stack"));
  EXPECT_THAT(complaint(PickleWriter().raw("h\x07.").str()), HasSubstr("nothing was put into memo 7"));
  EXPECT_THAT(complaint(PickleWriter().raw("}(Nu.").str()), HasSubstr("a key alone"));
  EXPECT_THAT(complaint(std::string("\x80\x04N.", 4)), HasSubstr("expected pickle protocol 2, found 4"));
}

TEST(Pickle, WhatIsNoStateDictIsRefused) {
  EXPECT_THAT(complaint(PickleWriter().raw("].").str()), HasSubstr("expected a dict, found a list"));
  EXPECT_THAT(complaint(dict_with(PickleWriter("").text("lr").integer(3).str())),
              HasSubstr("state dict: 'lr': expected a tensor, found an integer"));
  EXPECT_THAT(complaint(dict_with(PickleWriter("").integer(1).integer(3).str())),
              HasSubstr("expected a string"));
  const std::string item = tensor_item(0, {1}, {1}, 1);
  EXPECT_THAT(complaint(dict_with(item + item)), HasSubstr("'w': found twice"));
}

// A list that holds itself, a dict that is its own state_dict: references, not copies, so nothing grows or
// hangs.
TEST(Pickle, CyclesAreHarmless) {
  EXPECT_THAT(complaint(PickleWriter()
                            .raw("]q\x01h\x01"
                                 "a.")
                            .str()),
              HasSubstr("found a list"));
  const std::string cycle = PickleWriter().raw("}q\x01").text("state_dict").raw("h\x01s.").str();
  EXPECT_THAT(complaint(cycle), HasSubstr("expected a tensor, found a dict"));
}

TEST(Pickle, ViewsBeyondTheirStorageAreRefused) {
  const auto outside = HasSubstr("within its storage");
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {7}, {1}, 6))), outside);
  EXPECT_THAT(complaint(dict_with(tensor_item(1, {6}, {1}, 6))), outside);
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {2, 3}, {4, 1}, 6))), outside);
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {1 << 30, 1 << 30}, {0, 0}, 6))), outside);
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {3}, {INT64_MAX}, 6))), HasSubstr("within 2^63"));
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {INT64_MAX, 3}, {1, 1}, 6))),
              HasSubstr("expected a tensor's"));
  EXPECT_THAT(complaint(dict_with(tensor_item(-1, {1}, {1}, 6))), HasSubstr("expected a tensor's offset"));
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {-1}, {1}, 6))), HasSubstr("at least 0"));
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {1}, {-1}, 6))), HasSubstr("at least 0"));
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {1}, {1, 1}, 6))), HasSubstr("expected a tensor's offset"));
  EXPECT_THAT(complaint(dict_with(tensor_item(0, {1}, {1}, -6))), HasSubstr("at least 0 elements"));
  EXPECT_EQ(read(dict_with(tensor_item(5, {1, 1}, {INT64_MAX, INT64_MAX}, 6))).size(), 1U);
  EXPECT_EQ(read(dict_with(tensor_item(99, {0, 7}, {7, 1}, 0))).size(), 1U);
}

}  // namespace
}  // namespace spiga::weights
