// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

#include "serve/batcher.h"
#include "serve/form.h"
#include "serve/http_message.h"
#include "serve/token.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace spiga::serve {
namespace {

using ::testing::HasSubstr;

constexpr const char* kType = "multipart/form-data; boundary=\"x y\"";

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string text_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

TEST(Form, HasPartsWithNamesAndFiles) {
  const std::string body =
      "what comes before\r\n--x y\r\nContent-Disposition: form-data; name=\"no\\\"te\"\r\n\r\nhi\r\n--x\r\n"
      "\r\n--x y  \r\ncontent-type: image/jpeg\r\nCONTENT-DISPOSITION: form-data; filename=a;name=up\r\n\r\n"
      "\r\n--x y\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--x y--\r\nafter";
  const std::vector<FormPart> parts = parse_form(bytes_of(body), kType);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].name, "no\"te");
  EXPECT_EQ(text_of(parts[0].content), "hi\r\n--x\r\n");
  EXPECT_FALSE(parts[0].is_file);
  EXPECT_EQ(parts[1].name, "up");
  EXPECT_EQ(parts[1].file_name, "a");
  EXPECT_TRUE(parts[1].content.empty());
  EXPECT_EQ(&picture_of(parts), &parts[2]);
  EXPECT_EQ(&picture_of(std::span(parts).first(2)), &parts[1]);
  EXPECT_EQ(testing::error_of([&] { picture_of(std::span(parts).first(1)); }).code(), ErrorCode::bad_data);
}

TEST(Form, SaysWhatIsWrong) {
  const auto fault = [](const std::string& body, const char* type = kType) {
    const Error error = testing::error_of([&] { parse_form(bytes_of(body), type); });
    EXPECT_EQ(error.code(), ErrorCode::bad_data);
    return std::string(error.what());
  };
  const std::string head = "--x y\r\nContent-Disposition: form-data; name=a\r\n\r\n";
  EXPECT_THAT(fault(head, "multipart/form-data"), HasSubstr("boundary"));
  EXPECT_THAT(fault(""), HasSubstr("does not occur"));
  EXPECT_THAT(fault(head + "abc\r\n--x "), HasSubstr("no end"));
  EXPECT_THAT(fault("--x yz\r\n"), HasSubstr("line end"));
  EXPECT_THAT(fault("--x y\r\nA: b\r\n\r\nabc\r\n--x y--"), HasSubstr("no name"));
  EXPECT_THAT(fault("--x y\r\n" + std::string(5000, 'a') + "\r\n\r\nabc\r\n--x y--"), HasSubstr("4096"));
  std::string many;
  for (int i = 0; i < 65; ++i) many += head + "\r\n";
  EXPECT_THAT(fault(many + "--x y--"), HasSubstr("64 parts"));
  EXPECT_TRUE(is_form("Multipart/Form-Data ; boundary=a"));
  EXPECT_FALSE(is_form("multipart/form-datum"));
}

TEST(Token, IsComparedWhole) {
  EXPECT_TRUE(is_authorized("Bearer secret", "secret"));
  for (const char* wrong :
       {"", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "bearer secret", "secret"})
    EXPECT_FALSE(is_authorized(wrong, "secret")) << wrong;
}

TEST(Token, ComesFromAFileOfOneLine) {
  const spiga::testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "token").string();
  spiga::testing::overwrite(path, "secret\r\n");
  EXPECT_EQ(read_token(path), "secret");
  for (const std::string& wrong : {std::string(), std::string("\n"), std::string("a b"),
                                   std::string("a\nb\n"), std::string(4097, 'a')}) {
    spiga::testing::overwrite(path, wrong);
    EXPECT_EQ(testing::error_of([&] { read_token(path); }).code(), ErrorCode::bad_data) << wrong;
  }
}

TEST(HttpMessage, FindsParameters) {
  HttpRequest request;
  request.query = "overlay2=0&overlay=1&x";
  EXPECT_EQ(request.parameter("overlay"), "1");
  EXPECT_EQ(request.parameter("x"), "");
  EXPECT_EQ(request.parameter("y"), "");
}

// A batcher of one thread whose first call waits until three more requests have gathered.
class Gathered {
 public:
  explicit Gathered(Batcher::Locate locate)
      : batcher_({[this, locate = std::move(locate)](std::span<const FaceRequest> requests) {
                   if (!begun_.exchange(true)) gate_.wait();
                   return locate(requests);
                 }},
                 nullptr, 16) {}

  // The numbers of faces for boxes with these scores; the first is what the others wait behind.
  std::vector<std::future<std::size_t>> ask(const std::vector<float>& scores) {
    std::vector<std::future<std::size_t>> asked;
    for (const float score : scores) {
      asked.push_back(std::async(std::launch::async, [this, score] {
        const std::vector<Detection> one = {{{0, 0, 8, 8}, score}};
        return batcher_.locate({}, one, false).size();
      }));
      while (!begun_) std::this_thread::yield();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    go_.set_value();
    return asked;
  }

 private:
  std::promise<void> go_;
  std::shared_future<void> gate_ = go_.get_future().share();
  std::atomic<bool> begun_ = false;
  Batcher batcher_;
};

TEST(Batcher, TellsOneRequestsFaultFromTheOthers) {
  Gathered gathered([](std::span<const FaceRequest> requests) {
    if (requests.size() > 1) throw std::bad_alloc();
    if (requests[0].score == 13) throw std::runtime_error("thirteen");
    return std::vector<Face>(1);
  });
  auto asked = gathered.ask({1, 2, 13, 3});
  EXPECT_EQ(asked[0].get(), 1U);
  EXPECT_EQ(asked[1].get(), 1U);
  EXPECT_THROW(asked[2].get(), std::runtime_error);
  EXPECT_EQ(asked[3].get(), 1U);
}

// Too few faces for several requests: no promise may be kept twice, which would end the program.
TEST(Batcher, KeepsEveryPromiseOnceWhereACallFailsHalfWay) {
  Gathered gathered([](std::span<const FaceRequest> requests) {
    return std::vector<Face>(requests.size() > 1 ? requests.size() - 1 : 1);
  });
  for (auto& one : gathered.ask({1, 2, 3, 4})) EXPECT_EQ(one.get(), 1U);
}

// While the thread that has all processors is busy, a lone request is anybody's, and nobody waits behind it.
TEST(Batcher, LetsNobodyWaitBehindALoneRequest) {
  std::promise<void> go;
  const auto gate = go.get_future().share();
  std::latch busy(1);
  const Batcher::Locate quick = [](std::span<const FaceRequest> requests) {
    return std::vector<Face>(requests.size());
  };
  const Batcher::Locate held = [&](std::span<const FaceRequest> requests) {
    busy.count_down();
    gate.wait();
    return std::vector<Face>(requests.size());
  };
  Batcher batcher({quick, quick}, held, 16);
  const auto ask = [&](bool alone) {
    return std::async(std::launch::async, [&batcher, alone] {
      const std::vector<Detection> one = {{{0, 0, 8, 8}, 1}};
      return batcher.locate({}, one, alone).size();
    });
  };
  auto first = ask(true);
  busy.wait();
  auto lone = ask(true);
  auto other = ask(false);
  EXPECT_EQ(lone.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(other.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  go.set_value();
  EXPECT_EQ(first.get(), 1U);
}

}  // namespace
}  // namespace spiga::serve
