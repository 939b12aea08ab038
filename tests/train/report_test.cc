// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/file.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "train/tiny_run.h"

namespace spiga::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

class TrainingLogTest : public ::testing::Test {
 protected:
  std::string path() const { return (folder_.path() / "log.csv").string(); }
  std::string text() const { return base::read_file(path()); }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

TEST_F(TrainingLogTest, GrowsLineByLine) {
  TrainingLog log = TrainingLog::fresh(path());
  EXPECT_TRUE(log.append({{"stage", 0}, {"step", 20}, {"loss", 0.123456789}}));
  EXPECT_TRUE(log.append({{"stage", 0}, {"step", 1234567890}, {"loss", NAN}}));
  EXPECT_EQ(text(), "stage,step,loss\n0,20,0.1234568\n0,1234567890,\n");
  EXPECT_TRUE(log.append({{"stage", 1}, {"step", 0}, {"nme", 3}}));
  EXPECT_EQ(text(), "stage,step,loss,nme\n0,20,0.1234568,\n0,1234567890,,\n1,0,,3\n");
  EXPECT_THAT(log.column("step"), ElementsAre(20, 1234567890, 0));
  EXPECT_TRUE(std::isnan(log.column("unheard")[2]));
}

TEST_F(TrainingLogTest, ResumedLogForgetsWhatIsTrainedAgain) {
  base::write_file(path(), "stage,step,loss,note\n0,0,5,a\n0,20,4,\n1,0,3,\n1,20,2,\n1,40,1,\n1,6");
  TrainingLog log = TrainingLog::resumed(path(), {1, 20});
  EXPECT_THAT(log.column("loss"), ElementsAre(5, 4, 3));
  EXPECT_TRUE(log.append({{"stage", 1}, {"step", 20}, {"loss", 2.5}}));
  EXPECT_EQ(text(), "stage,step,loss,note\n0,0,5,\n0,20,4,\n1,0,3,\n1,20,2.5,\n");
  EXPECT_EQ(TrainingLog::resumed(path() + ".absent", {1, 20}).rows(), 0);
  base::write_file(path(), "x,y\n1,2\n");
  EXPECT_THAT(testing::bad_data_of([&] { TrainingLog::resumed(path(), {}); }),
              HasSubstr("log.csv:1: expected a log that begins with stage,step"));
}

TEST_F(TrainingLogTest, WritesLaterWhatCannotBeWrittenNow) {
  const auto place = folder().path() / "later";
  TrainingLog log = TrainingLog::fresh((place / "log.csv").string());
  EXPECT_FALSE(log.append({{"stage", 0}, {"step", 0}}));
  std::filesystem::create_directory(place);
  EXPECT_TRUE(log.append({{"stage", 0}, {"step", 1}}));
  EXPECT_EQ(base::read_file(place / "log.csv"), "stage,step\n0,0\n0,1\n");
}

// A run of two stages with its logs, as far as a report goes.
class ReportTest : public ::testing::Test {
 protected:
  ReportTest() : config_(make_config()) {
    for (int stage = 0; stage < 2; ++stage)
      for (int step = 0; step < 400; step += 2) {
        const double progress = stage + step / 400.0;
        steps_.append({{"stage", stage},
                       {"step", step},
                       {"seconds", 900 * progress},
                       {"learning_rate", 1e-3 * (1 - progress / 2)},
                       {"loss", 9 * std::exp(-progress)},
                       {"gradient_norm", 1 + progress},
                       {stage == 0 ? "loss_coordinates" : "loss_step1", 3 * std::exp(-progress)}});
      }
    for (int step = 99; step < 400; step += 100)
      validations_.append({{"stage", 0},
                           {"step", step},
                           {"nme", 1000.0 / step},
                           {"initial_nme", 1500.0 / step},
                           {"failure_rate", 2},
                           {"yaw_deg", 3},
                           {"pitch_deg", 2},
                           {"roll_deg", 1}});
    for (int face = 0; face < 20; ++face) {
      validation_.face_nme.push_back(face == 7 ? 33 : 2);
      validation_.face_landmarks.emplace_back(136, 0.5F);
    }
    validation_.nme = 3.55;
  }
  RunReport run() const { return {config_, steps_, validations_, faces_, validation_}; }
  std::filesystem::path folder() const { return config_.folder; }

 private:
  TrainConfig make_config() const {
    testing::pack_drawn_faces(folder_.path() / "valid.pack", 20, 3);
    TrainConfig config = testing::tiny_config(folder_.path() / "run <1>", "unused", 400);
    std::filesystem::create_directory(config.folder);
    return config;
  }

  TemporaryFolder folder_;
  TrainConfig config_;
  TrainingLog steps_ = TrainingLog::fresh((folder_.path() / "log.csv").string());
  TrainingLog validations_ = TrainingLog::fresh((folder_.path() / "validation.csv").string());
  FaceDataset faces_ = FaceDataset::open((folder_.path() / "valid.pack").string());
  Validation validation_;
};

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST_F(ReportTest, PageShowsCurvesFacesAndRecipe) {
  const std::string page = report_page(run());
  for (const char* part : {"run &lt;1&gt;</h1>", "NME <b>3.550 %</b> (best 2.506)", "<td>cascade</td>",
                           ">total<", ">coordinates<", ">step1<", ">yaw<", ">landmarks<"})
    EXPECT_GT(count_of(page, part), 0) << part;
  EXPECT_EQ(count_of(page, "image/bmp"), 18);
  EXPECT_LT(page.find("NME 33.00 %"), page.find("NME 2.00 %"));
  EXPECT_LT(page.find("face7.png"), page.find("face0.png"));
  EXPECT_EQ(count_of(page, "<svg"), count_of(page, "</svg>"));
  EXPECT_EQ(count_of(draw_curves(run()), "nan"), 0);
}

TEST_F(ReportTest, WritesThePageAndTheCurves) {
  write_report(run());
  EXPECT_THAT(base::read_file(folder() / "report.html"), HasSubstr("</html>"));
  EXPECT_EQ(count_of(base::read_file(folder() / "curves.svg"), "<svg"), 7);
  if (std::system("rsvg-convert --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "rsvg-convert (Debian: librsvg2-bin) is not installed: no curves.png";
  EXPECT_EQ(base::read_file(folder() / "curves.png").substr(1, 3), "PNG");
}

TEST_F(ReportTest, AFolderThatIsGoneIsAnError) {
  std::filesystem::remove_all(folder());
  EXPECT_EQ(testing::error_of([&] { write_report(run()); }).code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace spiga::train
