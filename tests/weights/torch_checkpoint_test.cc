// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/torch_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "support/error_of.h"
#include "support/pickle_writer.h"
#include "support/temporary_folder.h"
#include "support/zip_writer.h"

namespace spiga::weights {
namespace {

using ::testing::AllOf;
using testing::bad_data_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PickleWriter;
using testing::ZipRecord;

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// A checkpoint of one tensor "w" in a storage of 6 elements.
std::string pickle_of(const Shape& shape, const Shape& strides, std::int64_t offset,
                      std::int64_t elements = 6) {
  PickleWriter writer;
  writer.raw("}(").text("w").tensor("FloatStorage", "0", elements, offset, shape, strides);
  return writer.raw("u.").str();
}

class Checkpoints : public ::testing::Test {
 protected:
  const std::filesystem::path& write(const std::vector<ZipRecord>& records) {
    testing::write_zip(path_, records);
    return path_;
  }

  // What opening the archive and reading its tensors complains of.
  std::string complaint(const std::vector<ZipRecord>& records) {
    write(records);
    return complaint_of_file();
  }

  std::string complaint_of_file() {
    return bad_data_of([&] {
      const TorchCheckpoint checkpoint(path_);
      for (const PickledTensor& tensor : checkpoint.tensors()) checkpoint.read(tensor);
    });
  }

  std::vector<float> read(const Shape& shape, const Shape& strides, std::int64_t offset) {
    const TorchCheckpoint checkpoint(write({{"a/data.pkl", pickle_of(shape, strides, offset)}, storage_}));
    const PickledTensor& tensor = checkpoint.tensors().at(0);
    return to_float32({tensor.dtype, tensor.shape, checkpoint.read(tensor)});
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "c.pt";
  const ZipRecord storage_{"a/data/0", bytes_of({0, 1, 2, 3, 4, 5})};
  const ZipRecord pickle_{"a/data.pkl", pickle_of({2, 3}, {3, 1}, 0)};
};

TEST_F(Checkpoints, DenseAndStridedViews) {
  EXPECT_THAT(read({2, 3}, {3, 1}, 0), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(read({3}, {1}, 2), ElementsAre(2, 3, 4));
  EXPECT_THAT(read({3, 2}, {1, 3}, 0), ElementsAre(0, 3, 1, 4, 2, 5));  // transposed
  EXPECT_THAT(read({2}, {3}, 1), ElementsAre(1, 4));
  EXPECT_THAT(read({2, 2}, {0, 1}, 4), ElementsAre(4, 5, 4, 5));  // expanded
  EXPECT_THAT(read({1, 2, 1}, {INT64_MAX, 5, INT64_MAX}, 0), ElementsAre(0, 5));
  EXPECT_THAT(read({0, 2}, {2, 1}, 77), ElementsAre());
  EXPECT_THAT(read({}, {}, 3), ElementsAre(3));
}

TEST_F(Checkpoints, AnExpandedViewHasNoMoreElementsThanItsStorage) {
  EXPECT_THAT(read({3, 2}, {0, 1}, 0), ElementsAre(0, 1, 0, 1, 0, 1));
  EXPECT_THAT(complaint({{"a/data.pkl", pickle_of({4, 2}, {0, 1}, 0)}, storage_}),
              HasSubstr("expected a tensor within its storage of 6 elements"));
}

TEST_F(Checkpoints, ByteOrderMustBeLittle) {
  write({pickle_, storage_, {"a/byteorder", "little"}});
  EXPECT_NO_THROW(TorchCheckpoint{path_});
  EXPECT_THAT(complaint({pickle_, storage_, {"a/byteorder", "big"}}),
              HasSubstr("c.pt: a/byteorder: expected little, found 'big'"));
}

TEST_F(Checkpoints, MissingFileIsNotFound) {
  EXPECT_EQ(testing::error_of([&] { TorchCheckpoint checkpoint(path_); }).code(), ErrorCode::not_found);
}

TEST_F(Checkpoints, WhatIsNoZipIsRefused) {
  for (const char* content : {"PK", "\x80\x02}.", "not a checkpoint at all, just text"}) {
    testing::overwrite(path_, content);
    EXPECT_THAT(complaint_of_file(),
                AllOf(HasSubstr("c.pt"), HasSubstr("expected a checkpoint of PyTorch 1.6")));
  }
}

TEST_F(Checkpoints, EmptyFileIsRefused) {
  testing::overwrite(path_, "");
  EXPECT_THAT(complaint_of_file(), HasSubstr("c.pt: expected a PyTorch checkpoint, found an empty file"));
}

TEST_F(Checkpoints, ZipsOfOtherKindsAreRefused) {
  EXPECT_THAT(complaint({storage_}), HasSubstr("found a zip archive without data.pkl"));
  EXPECT_THAT(complaint({{"data.pkl", "."}}), HasSubstr("without data.pkl"));
  EXPECT_THAT(complaint({pickle_, {"b/data.pkl", "."}}), HasSubstr("expected one data.pkl, found two"));
}

TEST_F(Checkpoints, EveryTruncationIsRefused) {
  write({pickle_, storage_});
  const std::string whole = base::read_file(path_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    testing::overwrite(path_, std::string_view(whole).substr(0, size));
    EXPECT_THAT(complaint_of_file(), HasSubstr("c.pt")) << size;
  }
}

TEST_F(Checkpoints, MissingOrWrongStorageIsNamed) {
  EXPECT_THAT(complaint({pickle_}), HasSubstr("c.pt: record 'a/data/0': expected, found none"));
  EXPECT_THAT(complaint({pickle_, {"a/data/0", bytes_of({1, 2, 3})}}),
              HasSubstr("record 'a/data/0': expected 6 elements of F32, found 12 bytes"));
  EXPECT_THAT(complaint({pickle_, {"a/data/0", std::string(25, 'x')}}), HasSubstr("found 25 bytes"));
  // What the pickle announces is never allocated.
  EXPECT_THAT(complaint({{"a/data.pkl", pickle_of({6}, {1}, 0, std::int64_t{1} << 60)}, storage_}),
              HasSubstr("expected 1152921504606846976 elements of F32, found 24 bytes"));
}

// 64 MB of zeros in 64 kB: refused for being compressed, before anything is unpacked.
TEST_F(Checkpoints, ZipBombIsRefused) {
  const std::int64_t elements = 1 << 24;
  write({{"a/data.pkl", pickle_of({elements}, {1}, 0, elements)},
         {"a/data/0", std::string(elements * sizeof(float), '\0'), true}});
  EXPECT_LT(std::filesystem::file_size(path_), 1U << 18);
  EXPECT_THAT(complaint_of_file(),
              HasSubstr("record 'a/data/0': expected bytes as they are, found compressed"));
  EXPECT_THAT(complaint({{"a/data.pkl", pickle_.content + std::string(1 << 20, ' '), true}, storage_}),
              HasSubstr("record 'a/data.pkl': expected bytes as they are, found compressed"));
}

// The central directory says that a stored record is as large as a disk.
TEST_F(Checkpoints, SizesBeyondTheFileAreRefused) {
  write({pickle_, storage_});
  std::string file = base::read_file(path_);
  const std::size_t entry = file.rfind("PK\x01\x02");  // of the last record, a/data/0
  ASSERT_NE(entry, std::string::npos);
  for (const std::size_t field : {20, 24}) std::memcpy(file.data() + entry + field, "\xf0\xff\xff\x7f", 4);
  testing::overwrite(path_, file);
  EXPECT_THAT(complaint_of_file(), HasSubstr("c.pt"));
}

TEST_F(Checkpoints, HugePickleIsRefused) {
  EXPECT_THAT(complaint({{"a/data.pkl", std::string((8 << 20) + 1, 'N')}, storage_}),
              HasSubstr("record 'a/data.pkl': expected at most 8388608 bytes"));
}

TEST_F(Checkpoints, DamagedElementsAreNoticed) {
  write({pickle_, storage_});
  std::string file = base::read_file(path_);
  const std::size_t data = file.find(storage_.content);
  ASSERT_NE(data, std::string::npos);
  file[data + 5] ^= 1;
  testing::overwrite(path_, file);
  EXPECT_THAT(complaint_of_file(), HasSubstr("record 'a/data/0': damaged: CRC error"));
}

}  // namespace
}  // namespace spiga::weights
