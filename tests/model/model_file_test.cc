// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>

#include "model/session.h"
#include "model/tensors.h"
#include "support/error_of.h"
#include "support/golden_fill.h"
#include "support/model_files.h"
#include "support/temporary_folder.h"

namespace spiga::model {
namespace {

using ::testing::AllOf;
using testing::bad_data_of;
using ::testing::HasSubstr;
using testing::tiny_network;

struct Tensor {
  weights::DType dtype;
  weights::Shape shape;
  std::vector<std::uint8_t> bytes;
};

// A model file's content, to be spoilt before it is written.
struct Content {
  std::map<std::string, Tensor> tensors;
  weights::Metadata metadata;
};

Content good_content() {
  const NetworkConfig config = tiny_network();
  Content content{{}, metadata_of({config, "made by a test", "none"})};
  for (const TensorSpec& spec : expected_tensors(config)) {
    const std::vector<float> values = testing::fill_tensor(spec.name, spec.shape);
    content.tensors[spec.name] = {weights::DType::f32, spec.shape,
                                  weights::from_float32(values, weights::DType::f32)};
  }
  return content;
}

class ModelFile : public ::testing::Test {
 protected:
  void write(const Content& content) const {
    std::vector<weights::NamedTensor> tensors;
    for (const auto& [name, tensor] : content.tensors) {
      tensors.push_back({name, {tensor.dtype, tensor.shape, tensor.bytes}});
    }
    weights::write_safetensors(path_, tensors, content.metadata);
  }

  // What loading says of a good file that `spoil` has been at.
  std::string complaint(const std::function<void(Content&)>& spoil) const {
    Content content = good_content();
    spoil(content);
    write(content);
    return bad_data_of([&] { CompiledNetwork::load(path_, Precision::f32); });
  }

  const testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "m.safetensors";
};

TEST_F(ModelFile, GoodOneLoads) {
  write(good_content());
  EXPECT_EQ(CompiledNetwork::load(path_, Precision::f32)->config(), tiny_network());
}

TEST_F(ModelFile, InfoSurvives) {
  write(good_content());
  const ModelInfo info = read_info(weights::SafetensorsFile(path_));
  EXPECT_EQ(info.config, tiny_network());
  EXPECT_EQ(info.provenance, "made by a test");
  EXPECT_EQ(info.licence, "none");
}

TEST_F(ModelFile, MetadataMistakesAreNamed) {
  EXPECT_THAT(complaint([](Content& c) { c.metadata.clear(); }),
              HasSubstr("m.safetensors: metadata spiga.config: expected, found none"));
  EXPECT_THAT(complaint([](Content& c) { c.metadata["spiga.config"] = "{"; }),
              HasSubstr("spiga.config: expected JSON, found '{'"));
  EXPECT_THAT(complaint([](Content& c) { c.metadata["spiga.config"] = R"({"width": 0})"; }),
              HasSubstr("spiga.config: width: expected a whole number from 2 to 1024, found 0"));
  EXPECT_THAT(complaint([](Content& c) { c.metadata["spiga.database"] = "wflw"; }),
              HasSubstr("spiga.database: expected '300wpublic', found 'wflw'"));
}

TEST_F(ModelFile, MissingTensorIsNamed) {
  EXPECT_THAT(complaint([](Content& c) { c.tensors.erase("pose_fc.weight"); }),
              HasSubstr("m.safetensors: tensor 'pose_fc.weight': expected [6, 16], found none"));
}

TEST_F(ModelFile, MisshapenTensorIsNamed) {
  EXPECT_THAT(complaint([](Content& c) {
                c.tensors["pose_fc.weight"].shape = {16, 6};
              }),
              HasSubstr("m.safetensors: tensor 'pose_fc.weight': expected [6, 16], found [16, 6]"));
}

TEST_F(ModelFile, WrongDtypeIsNamed) {
  EXPECT_THAT(
      complaint([](Content& c) { c.tensors["pose_fc.bias"].dtype = weights::DType::i32; }),
      HasSubstr("m.safetensors: tensor 'pose_fc.bias': dtype: expected F32, F16, BF16 or F64, found I32"));
}

TEST_F(ModelFile, NanWeightsAreRefused) {
  std::vector<float> bias(6, 0.0F);
  bias[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(complaint([&](Content& c) {
                c.tensors["pose_fc.bias"].bytes = weights::from_float32(bias, weights::DType::f32);
              }),
              AllOf(HasSubstr("m.safetensors: tensor 'pose_fc.bias': expected finite values"),
                    HasSubstr("at element 2")));
}

TEST_F(ModelFile, TruncatedOneIsRefused) {
  write(good_content());
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_THAT(bad_data_of([&] { CompiledNetwork::load(path_, Precision::f32); }),
              AllOf(HasSubstr("m.safetensors"), HasSubstr("data_offsets: expected a range within")));
}

TEST_F(ModelFile, MissingOneIsNotFound) {
  EXPECT_EQ(testing::error_of([&] { CompiledNetwork::load(path_); }).code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace spiga::model
