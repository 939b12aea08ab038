// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <barrier>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "train/fused.h"
#include "train/program.h"
#include "train/tiny_run.h"
#include "train/training_log.h"

namespace spiga::train {
namespace {

using ::testing::HasSubstr;
using testing::Program;

// Sets environment variables for the length of a scope.
class Environment {
 public:
  explicit Environment(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {
    for (const auto& [name, value] : variables_) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& [name, value] : variables_) unsetenv(name.c_str());
  }

 private:
  std::map<std::string, std::string> variables_;
};

TEST(ProcessPlace, IsReadFromTheEnvironment) {
  EXPECT_EQ(ProcessPlace::from_environment().count, 1);
  const Environment environment({{"WORLD_SIZE", "4"},
                                 {"RANK", "2"},
                                 {"LOCAL_RANK", "1"},
                                 {"MASTER_ADDR", "host"},
                                 {"MASTER_PORT", "1234"}});
  const ProcessPlace place = ProcessPlace::from_environment();
  EXPECT_EQ(place.count, 4);
  EXPECT_EQ(place.rank, 2);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.master_address, "host");
  EXPECT_EQ(place.master_port, 1234);
}

TEST(ProcessPlace, NamesTheVariableThatMakesNoSense) {
  const auto complaint = [](std::map<std::string, std::string> variables) {
    const Environment environment(std::move(variables));
    const Error error = testing::error_of([] { ProcessPlace::from_environment(); });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return std::string(error.what());
  };
  EXPECT_THAT(complaint({{"WORLD_SIZE", "two"}}),
              HasSubstr("WORLD_SIZE: expected a whole number from 1 to 65536, found 'two'"));
  EXPECT_THAT(complaint({{"WORLD_SIZE", "2"}}),
              HasSubstr("RANK: expected a whole number from 0 to 1, found ''"));
  EXPECT_THAT(complaint({{"WORLD_SIZE", "2"}, {"RANK", "2"}}), HasSubstr("RANK: expected"));
  EXPECT_THAT(complaint({{"WORLD_SIZE", "2"}, {"RANK", "0"}}), HasSubstr("MASTER_ADDR"));
  EXPECT_THAT(complaint({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_ADDR", "h"}, {"MASTER_PORT", "x"}}),
              HasSubstr("MASTER_PORT"));
}

TEST(Processes, OneAloneNeedsNobody) {
  Processes alone({}, "cpu");
  EXPECT_EQ(reducer(), nullptr);
  torch::Tensor value = torch::full({1}, 3.0);
  alone.sum(value);
  alone.broadcast(value);
  EXPECT_EQ(value.item<double>(), 3);
  EXPECT_TRUE(alone.any(true));
  EXPECT_FALSE(alone.any(false));
}

// Two threads in the place of two processes.
class TwoThreads final : public Reducer {
 public:
  TwoThreads() { set_reducer(this); }
  ~TwoThreads() override { set_reducer(nullptr); }
  int processes() const override { return 2; }
  void sum(torch::Tensor tensor) override {
    {
      const std::lock_guard lock(mutex_);
      sum_ = sum_.defined() ? sum_ + tensor : tensor.clone();
    }
    added_.arrive_and_wait();
    tensor.copy_(sum_);
    taken_.arrive_and_wait();
  }

 private:
  struct Forget {
    torch::Tensor* sum;
    void operator()() noexcept { *sum = torch::Tensor(); }
  };
  std::mutex mutex_;
  torch::Tensor sum_;
  std::barrier<> added_{2};
  std::barrier<Forget> taken_{2, Forget{&sum_}};
};

// What normalising these rows does, with weights of its own.
struct Normalised {
  explicit Normalised(const torch::Tensor& rows)
      : x(rows.clone().requires_grad_(true)),
        norm{torch::tensor({0.5F, 1.5F, -1.F}).requires_grad_(true),
             torch::tensor({0.F, 0.2F, 1.F}).requires_grad_(true), torch::tensor({0.3F, 0.F, 2.F}),
             torch::ones({3}), true} {}
  void run() {
    y = normalize(x, norm, Activation::relu);
    (y * torch::arange(1, 4).view({1, 3, 1, 1})).square().sum().backward();
  }
  torch::Tensor x;
  Norm norm;
  torch::Tensor y;
};

TEST(Reducer, BatchNormOfTwoHalvesIsThatOfTheWhole) {
  torch::manual_seed(3);
  const torch::Tensor rows =
      torch::randn({8, 3, 2, 2}).mul(2).add(1).contiguous(torch::MemoryFormat::ChannelsLast);
  for (const bool fused : {true, false}) {
    set_fused(fused);
    Normalised whole(rows), first(rows.narrow(0, 0, 4)), second(rows.narrow(0, 4, 4));
    whole.run();
    {
      const TwoThreads both;
      std::thread other([&] { second.run(); });
      first.run();
      other.join();
    }
    const auto near = [](const torch::Tensor& a, const torch::Tensor& b) {
      return a.allclose(b, 1e-4, 1e-5);
    };
    EXPECT_TRUE(near(torch::cat({first.y, second.y}), whole.y));
    EXPECT_TRUE(near(torch::cat({first.x.grad(), second.x.grad()}), whole.x.grad()));
    EXPECT_TRUE(near(first.norm.weight.grad() + second.norm.weight.grad(), whole.norm.weight.grad()));
    EXPECT_TRUE(near(first.norm.bias.grad() + second.norm.bias.grad(), whole.norm.bias.grad()));
    EXPECT_TRUE(near(first.norm.running_mean, whole.norm.running_mean));
    EXPECT_TRUE(near(second.norm.running_var, whole.norm.running_var));
  }
  set_fused(true);
}

class DataParallelTest : public ::testing::Test {
 protected:
  DataParallelTest() { testing::pack_drawn_faces(folder_.path() / "train.pack", 24, 5); }

  std::filesystem::path folder(const std::string& name) const { return folder_.path() / name; }

  std::string write_recipe(const std::string& name) const {
    return testing::write_tiny_recipe(folder(name), folder("train.pack"), "batch = 24\nlog_steps = 1\n",
                                      "faces = 240\nlearning_rate = 2e-4\n");
  }

  // Runs `count` processes to their end.
  void train(const std::string& name, int count) const {
    const std::string recipe = write_recipe(name), port = std::to_string(testing::free_port());
    std::vector<std::unique_ptr<Program>> programs;
    for (int rank = 0; rank < count; ++rank)
      programs.push_back(
          std::make_unique<Program>(SPIGA_TRAIN_PROGRAM, std::vector<std::string>{"train", recipe},
                                    std::map<std::string, std::string>{{"WORLD_SIZE", std::to_string(count)},
                                                                       {"RANK", std::to_string(rank)},
                                                                       {"MASTER_ADDR", "127.0.0.1"},
                                                                       {"MASTER_PORT", port},
                                                                       {"OMP_NUM_THREADS", "1"}},
                                    folder(name + std::to_string(rank) + ".err")));
    for (auto& program : programs) ASSERT_EQ(program->wait(), 0) << program->errors();
  }

  testing::TemporaryFolder folder_;
};

// Rounding aside, which steps amplify: another instruction set alone moves the first gradient's norm by up to
// a thousandth, and losses by as much after twenty steps.
TEST_F(DataParallelTest, TwoProcessesEqualOneWithTheDoubledBatch) {
  train("one", 1);
  train("two", 2);
  const Position end = {99, 0};
  const TrainingLog one = TrainingLog::resumed(folder("one") / "log.csv", end);
  const TrainingLog two = TrainingLog::resumed(folder("two") / "log.csv", end);
  ASSERT_EQ(one.rows(), 20);
  ASSERT_EQ(two.rows(), 20);
  const auto a = one.column("loss"), b = two.column("loss");
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i], b[i], (i < 5 ? 2e-5 : 1e-3) * a[i]) << "loss of step " << i;
  for (const char* part : {"loss_coordinates", "loss_attention", "loss_pose"})
    EXPECT_NEAR(one.column(part)[0], two.column(part)[0], 2e-5 * one.column(part)[0]) << part;
  const double norm = one.column("gradient_norm")[0];
  EXPECT_NEAR(norm, two.column("gradient_norm")[0], 2e-3 * norm);
}

TEST_F(DataParallelTest, ABatchThatCannotBeSharedIsRefused) {
  Program program(SPIGA_TRAIN_PROGRAM, {"train", write_recipe("five")},
                  {{"WORLD_SIZE", "5"},
                   {"RANK", "0"},
                   {"MASTER_ADDR", "127.0.0.1"},
                   {"MASTER_PORT", std::to_string(testing::free_port())}},
                  folder("five.err"));
  EXPECT_EQ(program.wait(), 2);
  EXPECT_THAT(program.errors(), HasSubstr("run.batch: expected a multiple of the 5 processes, found 24"));
}

}  // namespace
}  // namespace spiga::train
