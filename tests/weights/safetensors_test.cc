// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace spiga::weights {
namespace {

using base::concat;
using ::testing::AllOf;
using testing::bad_data_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// A file in memory: length of the header, header, data.
std::vector<std::uint8_t> file_of(const std::string& header, std::size_t data_bytes, std::uint64_t length) {
  std::vector<std::uint8_t> bytes(sizeof length + header.size() + data_bytes);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::copy(header.begin(), header.end(), bytes.begin() + sizeof length);
  return bytes;
}

// What parsing this header, followed by so many bytes of data, complains of.
std::string complaint(const std::string& header, std::size_t data_bytes) {
  return bad_data_of([&] { parse_safetensors(file_of(header, data_bytes, header.size()), "m.safetensors"); });
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}";
}

std::string object(const std::string& first) { return concat('{', first, '}'); }
std::string object(const std::string& first, const std::string& second) {
  return concat('{', first, ',', second, '}');
}

class SafetensorsFiles : public ::testing::Test {
 protected:
  const std::filesystem::path& folder() const { return folder_.path(); }

  const std::vector<float> floats_ = {1, 2, 3, 4, 5, 6};
  const std::vector<std::uint8_t> halves_ = from_float32(std::vector<float>{1, -2, 0.5F}, DType::bf16);
  const std::vector<std::int64_t> counter_ = {7};
  const std::vector<NamedTensor> tensors_ = {
      {"half", {DType::bf16, {3}, halves_}},
      {"matrix", view_of(floats_, {2, 3})},
      {"counter", {DType::i64, {}, {reinterpret_cast<const std::uint8_t*>(counter_.data()), 8}}},
      {"nothing", view_of({}, {0, 5})},
  };

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(SafetensorsFiles, RoundTrip) {
  const auto path = folder() / "m.safetensors";
  write_safetensors(path, tensors_, {{"b", "2"}, {"a", "\"1\"\n"}});
  const SafetensorsFile file(path);
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("a", "\"1\"\n"), Pair("b", "2")));
  ASSERT_EQ(file.tensors().size(), tensors_.size());
  for (const NamedTensor& written : tensors_) {
    const TensorView& read = file.at(written.name, written.tensor.shape);
    EXPECT_EQ(read.dtype, written.tensor.dtype);
    EXPECT_TRUE(std::equal(read.bytes.begin(), read.bytes.end(), written.tensor.bytes.begin(),
                           written.tensor.bytes.end()));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.bytes.data()) % size_of(read.dtype), 0U) << written.name;
  }
  EXPECT_EQ(float32_in_place(file.at("matrix", {2, 3})).size(), 6U);
  EXPECT_EQ(file.find("none"), nullptr);
}

TEST_F(SafetensorsFiles, TheSameInputGivesTheSameBytes) {
  write_safetensors(folder() / "a", tensors_, {{"k", "v"}});
  write_safetensors(folder() / "b", tensors_, {{"k", "v"}});
  EXPECT_EQ(base::read_file(folder() / "a"), base::read_file(folder() / "b"));
}

TEST_F(SafetensorsFiles, MissingTensorAndWrongShapeAreNamed) {
  const auto path = folder() / "m.safetensors";
  write_safetensors(path, tensors_, {});
  const SafetensorsFile file(path);
  EXPECT_THAT(bad_data_of([&] {
                file.at("absent", {2, 3});
              }),
              AllOf(HasSubstr("m.safetensors: tensor 'absent': expected [2, 3], found none")));
  EXPECT_THAT(bad_data_of([&] {
                file.at("matrix", {3, 2});
              }),
              HasSubstr("tensor 'matrix': expected [3, 2], found [2, 3]"));
}

TEST_F(SafetensorsFiles, EveryTruncationIsRefused) {
  const auto path = folder() / "m.safetensors";
  write_safetensors(path, tensors_, {{"k", "v"}});
  const std::string whole = base::read_file(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    testing::overwrite(path, std::string_view(whole).substr(0, size));
    EXPECT_THAT(bad_data_of([&] { SafetensorsFile file(path); }), HasSubstr("m.safetensors")) << size;
  }
  testing::overwrite(path, whole + "x");
  EXPECT_THAT(bad_data_of([&] { SafetensorsFile file(path); }), HasSubstr("bytes of data, found"));
}

TEST_F(SafetensorsFiles, MissingFileIsNotFound) {
  EXPECT_EQ(testing::error_of([&] { SafetensorsFile file(folder() / "none"); }).code(), ErrorCode::not_found);
}

TEST_F(SafetensorsFiles, WriterRefusesWhatCannotBeRead) {
  const auto code = [&](const std::vector<NamedTensor>& tensors, const Metadata& metadata) {
    return testing::error_of([&] { write_safetensors(folder() / "x", tensors, metadata); }).code();
  };
  EXPECT_EQ(code({{"a", view_of(floats_, {6})}, {"a", view_of(floats_, {6})}}, {}),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code({{"a", view_of(floats_, {7})}}, {}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{"__metadata__", view_of(floats_, {6})}}, {}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{"\xff", view_of(floats_, {6})}}, {}), ErrorCode::invalid_argument);
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
}

TEST(Safetensors, ReadsTheGoldenVectors) {
  const SafetensorsFile file("tests/golden/golden_wflw98.safetensors");
  const std::span<const float> pose = float32_in_place(file.at("pose", {6}));
  ASSERT_EQ(pose.size(), 6U);
  EXPECT_NEAR(pose[0], 12, 5);  // made with a pose bias of 12 degrees
  EXPECT_EQ(file.at("points0_s4", {98, 16, 16}).dtype, DType::f32);
}

TEST(Safetensors, HugeHeaderIsRefusedBeforeItIsRead) {
  for (const std::uint64_t length : {std::uint64_t{100'000'001}, std::uint64_t{1} << 40, UINT64_MAX}) {
    EXPECT_THAT(bad_data_of([&] { parse_safetensors(file_of("{}", 0, length), "m"); }),
                HasSubstr(concat("header: expected at most 100000000 bytes, found ", length)));
  }
}

TEST(Safetensors, HeaderBeyondTheFileIsRefused) {
  EXPECT_THAT(bad_data_of([] { parse_safetensors(file_of("{}", 0, 3), "m"); }),
              HasSubstr("header: expected 3 bytes, found 2 (truncated file)"));
}

TEST(Safetensors, NotJsonIsRefused) {
  EXPECT_THAT(complaint("<xml>", 0), HasSubstr("m.safetensors: header: expected JSON"));
  EXPECT_THAT(complaint("{} x", 0), HasSubstr("expected JSON"));
  EXPECT_THAT(complaint("[]", 0), HasSubstr("expected an object, found an array"));
  EXPECT_THAT(complaint("3", 0), HasSubstr("expected an object, found 3"));
  EXPECT_THAT(complaint(std::string(100000, '['), 0), HasSubstr("found an array"));
  EXPECT_THAT(complaint("{\"a\": {\"\xff\": 1}}", 0), HasSubstr("expected JSON"));
}

TEST(Safetensors, WrongTypesAreRefused) {
  EXPECT_THAT(complaint(R"({"a": 1})", 0), HasSubstr("'a': expected an object, found 1"));
  EXPECT_THAT(complaint(R"({"a": {}})", 0), HasSubstr("tensor 'a': expected dtype, found none"));
  EXPECT_THAT(complaint(R"({"a": {"dtype": 3}})", 0), HasSubstr("tensor 'a': dtype: expected"));
  EXPECT_THAT(complaint(R"({"a": {"more": {}}})", 0), HasSubstr("found an object"));
  EXPECT_THAT(complaint(R"({"__metadata__": {"a": 1}})", 0), HasSubstr("'a': expected a string, found 1"));
  EXPECT_THAT(complaint(R"({"__metadata__": null})", 0), HasSubstr("found null"));
  EXPECT_THAT(complaint(object(entry("a", "F32", "[-1]", "[0,4]")), 4), HasSubstr("found -1"));
  EXPECT_THAT(complaint(object(entry("a", "F32", "[1.0]", "[0,4]")), 4), HasSubstr("found 1.0"));
  EXPECT_THAT(complaint(object(entry("a", "F32", "[[1]]", "[0,4]")), 4), HasSubstr("found an array"));
  EXPECT_THAT(complaint(object(entry("a", "F32", "[1]", "[0,4,8]")), 4), HasSubstr("found 8"));
  EXPECT_THAT(complaint(object(entry("a", "F32", "[1]", "[0]")), 4), HasSubstr("data_offsets with two"));
}

TEST(Safetensors, UnknownDtypeIsRefused) {
  EXPECT_THAT(
      complaint(object(entry("a", "F8_E4M3", "[1]", "[0,1]")), 1),
      HasSubstr("tensor 'a': dtype: expected BOOL, U8, I8, I16, I32, I64, F16, BF16, F32 or F64, found "
                "'F8_E4M3'"));
}

TEST(Safetensors, RepeatedNamesAreRefused) {
  const std::string a = entry("a", "F32", "[1]", "[0,4]");
  EXPECT_THAT(complaint(object(a, a), 4), HasSubstr("tensor 'a': found twice"));
  EXPECT_THAT(complaint(R"({"__metadata__": {"k": "1", "k": "2"}})", 0), HasSubstr("'k': found twice"));
  EXPECT_THAT(complaint(R"({"__metadata__": {}, "__metadata__": {}})", 0), HasSubstr("found twice"));
  EXPECT_THAT(complaint(R"({"a": {"dtype": "F32", "dtype": "F16"}})", 0), HasSubstr("dtype: found twice"));
}

TEST(Safetensors, OffsetsOutOfRangeAreRefused) {
  for (const char* offsets : {"[0,8]", "[4,0]", "[0,18446744073709551615]", "[18446744073709551612,4]"}) {
    EXPECT_THAT(complaint(object(entry("a", "F32", "[1]", offsets)), 4),
                HasSubstr("tensor 'a': data_offsets: expected a range within 4 bytes"))
        << offsets;
  }
}

TEST(Safetensors, OffsetsThatDoNotFitTheShapeAreRefused) {
  EXPECT_THAT(complaint(object(entry("a", "F32", "[2]", "[0,4]")), 4),
              HasSubstr("tensor 'a': data_offsets: expected 8 bytes of F32 [2], found 4"));
  EXPECT_THAT(complaint(object(entry("a", "F32", "[4611686018427387904]", "[0,0]")), 0), HasSubstr("2^63"));
  EXPECT_THAT(complaint(object(entry("a", "F32", "[4294967296,4294967296]", "[0,0]")), 0), HasSubstr("2^63"));
}

TEST(Safetensors, OverlapsHolesAndRestsAreRefused) {
  const std::string a = entry("a", "F32", "[2]", "[0,8]");
  EXPECT_THAT(
      complaint(object(a, entry("b", "F32", "[1]", "[4,8]")), 8),
      HasSubstr("tensor 'b': data_offsets: expected to begin at 8, found 4 (overlaps the tensor before)"));
  EXPECT_THAT(complaint(object(a, entry("b", "F32", "[1]", "[12,16]")), 16),
              HasSubstr("tensor 'b': data_offsets: expected to begin at 8, found 12 (leaves a hole)"));
  EXPECT_THAT(complaint(object(a), 9), HasSubstr("expected 8 bytes of data, found 9"));
}

TEST(Safetensors, TensorsOutOfOrderAreFine) {
  const std::string header =
      object(entry("late", "U8", "[2]", "[1,3]"), entry("early", "BOOL", "[1]", "[0,1]"));
  const auto bytes = file_of(header, 3, header.size());
  const ParsedSafetensors parsed = parse_safetensors(bytes, "m");
  ASSERT_EQ(parsed.tensors.size(), 2U);
  EXPECT_EQ(parsed.tensors[0].name, "early");
}

}  // namespace
}  // namespace spiga::weights
