// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/tensors.h"
#include "scheme/scheme.h"
#include "support/error_of.h"
#include "support/golden_fill.h"
#include "support/model_files.h"
#include "support/pickle_writer.h"
#include "support/temporary_folder.h"
#include "support/zip_writer.h"

namespace spiga::model {
namespace {

using base::concat;
using ::testing::AllOf;
using testing::fill_tensor;
using ::testing::HasSubstr;
using testing::tiny_network;
using weights::SafetensorsFile;

constexpr const char* kEdgeMatrix = "visual_cnn.E2Ptransform.edge2point";

// What a tensor of a checkpoint holds: constants that matter as they must be, others zero, weights by the
// rule.
std::vector<float> values_of(const TensorSpec& spec, const NetworkConfig& config) {
  if (spec.name == kEdgeMatrix) return scheme::find_database(config.database).edge2point;
  if (spec.role != TensorRole::weight) return std::vector<float>(spec.elements(), 0.0F);
  return fill_tensor(spec.name, spec.shape);
}

weights::Shape row_major_strides(const weights::Shape& shape) {
  weights::Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// A checkpoint put together here, so that anything can be wrong with it.
class CheckpointWriter {
 public:
  CheckpointWriter() = default;
  explicit CheckpointWriter(const NetworkConfig& config) {
    for (const TensorSpec& spec : checkpoint_tensors(config))
      set(spec.name, spec.shape, values_of(spec, config));
  }

  void remove(const std::string& name) { ASSERT_EQ(tensors_.erase(name), 1U) << name; }

  void set(const std::string& name, const weights::Shape& shape, std::vector<float> values,
           const char* storage = "FloatStorage") {
    tensors_[name] = {shape, std::move(values), storage};
  }

  void write(const std::filesystem::path& path) const {
    testing::PickleWriter pickle;
    std::vector<testing::ZipRecord> records(1);
    pickle.ordered_dict().raw("(");
    for (const auto& [name, tensor] : tensors_) {
      const std::string key = std::to_string(records.size());
      const auto count = static_cast<std::int64_t>(tensor.values.size());
      pickle.text(name).tensor(tensor.storage, key, count, 0, tensor.shape, row_major_strides(tensor.shape));
      records.push_back(
          {concat("archive/data/", key), std::string(reinterpret_cast<const char*>(tensor.values.data()),
                                                     tensor.values.size() * sizeof(float))});
    }
    records[0] = {"archive/data.pkl", pickle.raw("u.").str()};
    testing::write_zip(path, records);
  }

 private:
  struct Tensor {
    weights::Shape shape;
    std::vector<float> values;
    const char* storage;
  };
  std::map<std::string, Tensor> tensors_;
};

class Import : public ::testing::Test {
 protected:
  std::string complaint(const CheckpointWriter& checkpoint) const {
    checkpoint.write(checkpoint_);
    const std::string message = testing::bad_data_of([&] {
      import_checkpoint(checkpoint_, {config_, "", ""}, model_);
    });
    EXPECT_FALSE(std::filesystem::exists(model_)) << "a model file in spite of: " << message;
    return message;
  }

  const NetworkConfig config_ = tiny_network();
  const testing::TemporaryFolder folder_;
  const std::filesystem::path checkpoint_ = folder_.path() / "c.pt";
  const std::filesystem::path model_ = folder_.path() / "m.safetensors";
};

void expect_golden_weights(const SafetensorsFile& file, const NetworkConfig& config) {
  const std::vector<TensorSpec> specs = expected_tensors(config);
  EXPECT_EQ(file.tensors().size(), specs.size());
  for (const TensorSpec& spec : specs) {
    ASSERT_EQ(to_float32(file.at(spec.name, spec.shape)), fill_tensor(spec.name, spec.shape)) << spec.name;
  }
}

TEST_F(Import, MakesAModelFile) {
  CheckpointWriter(config_).write(checkpoint_);
  const ImportResult result = import_checkpoint(checkpoint_, {config_, "from a test", "none"}, model_);
  const SafetensorsFile file(model_);
  expect_golden_weights(file, config_);
  EXPECT_EQ(result.tensors, file.tensors().size());
  EXPECT_EQ(result.parameters, parameter_count(config_));
  EXPECT_EQ(result.constants, checkpoint_tensors(config_).size() - result.tensors);
  EXPECT_EQ(result.training_only, 0U);
  const ModelInfo info = read_info(file);
  EXPECT_EQ(info.config, config_);
  EXPECT_EQ(info.provenance, "from a test");
  EXPECT_EQ(info.licence, "none");
}

TEST_F(Import, StoresHalfPrecision) {
  CheckpointWriter(config_).write(checkpoint_);
  import_checkpoint(checkpoint_, {config_, "", ""}, model_, weights::DType::bf16);
  const SafetensorsFile file(model_);
  for (const weights::NamedTensor& named : file.tensors())
    EXPECT_EQ(named.tensor.dtype, weights::DType::bf16);
}

TEST_F(Import, TrainingOnlyHeadsAndAbsentConstantsAreFine) {
  CheckpointWriter checkpoint(config_);
  checkpoint.remove("diagonal_mask");
  checkpoint.set("visual_cnn.outs_points.1.0.conv.weight", {68, 16, 1, 1}, std::vector<float>(68 * 16));
  checkpoint.set("pose_heads.0.weight", {6, 16}, std::vector<float>(96));
  checkpoint.write(checkpoint_);
  EXPECT_EQ(import_checkpoint(checkpoint_, {config_, "", ""}, model_).training_only, 2U);
  EXPECT_EQ(SafetensorsFile(model_).find("pose_heads.0.weight"), nullptr);
}

TEST_F(Import, EverythingThatIsWrongIsNamed) {
  CheckpointWriter checkpoint(config_);
  checkpoint.remove("pose_fc.bias");
  checkpoint.remove("conv_window.1.weight");
  checkpoint.set("surplus.weight", {1}, {0});
  checkpoint.set("pose_fc.weight", {4, 6}, std::vector<float>(24));
  checkpoint.set("theta_S.0", {3, 3}, std::vector<float>(9));
  checkpoint.set("conv_window.0.bias", {16}, std::vector<float>(16), "IntStorage");
  EXPECT_THAT(complaint(checkpoint),
              AllOf(HasSubstr("c.pt: not the network of 300wpublic: "),
                    HasSubstr("missing (2): pose_fc.bias, conv_window.1.weight; "),
                    HasSubstr("unknown (1): surplus.weight; "),
                    HasSubstr("of another shape (2): pose_fc.weight (expected [6, 16], found [4, 6]), "
                              "theta_S.0 (expected [2, 2], found [3, 3]); "),
                    HasSubstr("not of floating point (1): conv_window.0.bias (I32)")));
}

TEST_F(Import, AnotherNetworkAltogetherIsSaidBriefly) {
  CheckpointWriter checkpoint;
  checkpoint.set("0.weight", {1}, {0});
  EXPECT_THAT(complaint(checkpoint), HasSubstr(concat("none of its ", expected_tensors(config_).size(),
                                                      " tensors found; unknown (1): 0.weight")));
}

TEST_F(Import, NanIsRefused) {
  CheckpointWriter checkpoint(config_);
  std::vector<float> bias(6, 0.0F);
  bias[4] = std::numeric_limits<float>::quiet_NaN();
  checkpoint.set("pose_fc.bias", {6}, bias);
  EXPECT_THAT(complaint(checkpoint), HasSubstr("c.pt: tensor 'pose_fc.bias': expected finite values"));
}

TEST_F(Import, AnotherMarkUpIsRefused) {
  CheckpointWriter checkpoint(config_);
  checkpoint.set(kEdgeMatrix, {68, 14}, std::vector<float>(68 * 14, 1.0F));
  EXPECT_THAT(complaint(checkpoint),
              HasSubstr("expected the landmarks and edges of 300wpublic, found others"));
}

TEST_F(Import, OverflowOfHalfPrecisionIsRefused) {
  CheckpointWriter checkpoint(config_);
  checkpoint.set("pose_fc.bias", {6}, std::vector<float>(6, 70000.0F));
  checkpoint.write(checkpoint_);
  EXPECT_THAT(testing::bad_data_of([&] {
                import_checkpoint(checkpoint_, {config_, "", ""}, model_, weights::DType::f16);
              }),
              HasSubstr("stored as F16: tensor 'pose_fc.bias'"));
}

TEST(PublishedConfig, OfEveryDatabase) {
  EXPECT_EQ(published_config("wflw"), named_config("wflw-full"));
  EXPECT_EQ(published_config("300wpublic"), named_config("300w-full"));
  EXPECT_EQ(published_config("merlrav").database, "merlrav");
  EXPECT_EQ(published_config("merlrav").landmarks, 68);
  EXPECT_EQ(testing::error_of([] { published_config("lfw"); }).code(), ErrorCode::invalid_argument);
}

// PyTorch's own torch.save, read without PyTorch: bit for bit the weights that the rule gives here.
TEST_F(Import, CheckpointOfPyTorchItself) {
  if (std::system("/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null") != 0) {
    GTEST_SKIP() << "/usr/bin/python3 has no torch (Debian package python3-torch)";
  }
  const NetworkConfig config = named_config("default");
  const std::filesystem::path list = folder_.path() / "list";
  std::ofstream lines(list);
  for (const TensorSpec& spec : checkpoint_tensors(config)) {
    const char* dtype = spec.role == TensorRole::counter ? "int64"
                        : spec.name == "diagonal_mask"   ? "bool"
                                                         : "float32";
    lines << spec.name << '|';
    for (std::size_t i = 0; i < spec.shape.size(); ++i) lines << (i == 0 ? "" : ",") << spec.shape[i];
    lines << '|' << dtype;
    if (spec.role != TensorRole::weight) {
      const std::vector<float> values = values_of(spec, config);
      for (std::size_t i = 0; i < values.size(); ++i) lines << (i == 0 ? '|' : ',') << values[i];
    }
    lines << '\n';
  }
  lines.close();
  const std::string command =
      concat("/usr/bin/python3 tests/support/make_checkpoint.py ", list, ' ', checkpoint_);
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const ImportResult result = import_checkpoint(checkpoint_, {config, "", ""}, model_);
  expect_golden_weights(SafetensorsFile(model_), config);
  EXPECT_GT(result.constants, 0U);
}

}  // namespace
}  // namespace spiga::model
