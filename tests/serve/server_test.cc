// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "media/picture_reader.h"
#include "spiga/face3d.h"
#include "support/error_of.h"

namespace spiga::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string astronaut() {
  std::ifstream file("samples/astronaut.jpg", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A PNG's beginning and end that claim 50,000 x 50,000 pixels.
std::string enormous_png() {
  using namespace std::string_literals;
  return "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\x02\0\0\0\x2a\x2f\x4a\x12"s
         "\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82"s;
}

// A server on a free port of the loopback.
class Running {
 public:
  explicit Running(ServerOptions options = {}, const ServiceOptions& service = {}) : service_(service) {
    std::signal(SIGPIPE, SIG_IGN);  // the tests' client writes to connections that were closed
    options.port = 0;
    options.log = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      log_.push_back(line);
    };
    server_ = std::make_unique<Server>(service_, options);
    port_ = server_->bind();
    thread_ = std::thread([this] { server_->run([this] { return stop_.load(); }); });
  }
  ~Running() { drain(); }

  void ask_to_stop() { stop_ = true; }
  void drain() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(60);
    return client;
  }
  Service& service() { return service_; }
  int port() const { return port_; }
  std::vector<std::string> log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  Service service_;
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
  std::atomic<bool> stop_ = false;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  int port_ = 0;
};

TEST(Serve, FindsTheFaceInBytesAndInAForm) {
  Running server;
  httplib::Client client = server.client();
  const auto plain = client.Post("/v1/analyze", astronaut(), "image/jpeg");
  ASSERT_TRUE(plain);
  ASSERT_EQ(plain->status, 200) << plain->body;
  nlohmann::json found = nlohmann::json::parse(plain->body);
  ASSERT_EQ(found.at("faces").size(), 1U);
  EXPECT_GT(found["faces"][0].at("landmarks").size(), 60U);
  const auto form = client.Post("/v1/analyze", {{"image", astronaut(), "a.jpg", "image/jpeg"}});
  ASSERT_TRUE(form);
  ASSERT_EQ(form->status, 200) << form->body;
  nlohmann::json other = nlohmann::json::parse(form->body);
  EXPECT_EQ(other.at("source"), "a.jpg");
  EXPECT_EQ(other.at("faces"), found.at("faces"));
  const auto drawn = client.Post("/v1/analyze?overlay=1", astronaut(), "image/jpeg");
  ASSERT_TRUE(drawn);
  EXPECT_EQ(drawn->get_header_value("Content-Type"), "image/jpeg");
  EXPECT_THAT(drawn->body, StartsWith("\xff\xd8"));
  EXPECT_NE(drawn->body, astronaut());
}

nlohmann::json faces_of(const Running& server, const std::string& target, const std::string& picture) {
  const auto answer = server.client().Post(target, picture, "application/octet-stream");
  if (!answer || answer->status != 200) return {{"failed", answer ? answer->body : "no answer"}};
  return nlohmann::json::parse(answer->body);
}

TEST(Serve, FitsHeadsWhereItIsAskedTo) {
  Running server;
  const nlohmann::json plain = faces_of(server, "/v1/analyze?face3d=0", astronaut());
  ASSERT_EQ(plain["faces"].size(), 1U);
  EXPECT_FALSE(plain.contains("camera"));
  EXPECT_FALSE(plain["faces"][0].contains("face3d"));

  const nlohmann::json fitted = faces_of(server, "/v1/analyze?face3d=1", astronaut());
  ASSERT_EQ(fitted["faces"].size(), 1U);
  EXPECT_EQ(fitted["camera"]["guessed"], true);
  const nlohmann::json& face = fitted["faces"][0];
  EXPECT_FALSE(face.contains("mesh"));
  std::vector<Point> landmarks;
  for (const nlohmann::json& point : face["landmarks"]) landmarks.push_back({point[0], point[1]});
  const Camera camera = guessed_camera(fitted["width"], fitted["height"]);
  const Face3d expected =
      FaceModel::load().fit(landmarks, face["uncertainty"].get<std::vector<float>>(), camera);
  const nlohmann::json& pose = face["face3d"]["pose"];
  EXPECT_NEAR(pose["yaw_deg"], expected.pose.yaw_deg, 0.1);
  EXPECT_NEAR(pose["translation_mm"][2], expected.pose.translation_mm[2], 2);
  EXPECT_EQ(face["face3d"]["blendshapes"].size(), blendshapes().size());

  // Drawn only where the mesh is asked for.
  const auto drawn = [&](const char* target) {
    return server.client().Post(target, astronaut(), "image/jpeg")->body;
  };
  const std::string overlay = drawn("/v1/analyze?overlay=1");
  EXPECT_EQ(drawn("/v1/analyze?overlay=1&face3d=1"), overlay);
  EXPECT_NE(drawn("/v1/analyze?overlay=1&mesh=1"), overlay);
}

TEST(Serve, GivesMeshesInPixels) {
  Running server;
  const auto answer = server.client().Get("/v1/mesh");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->get_header_value("Cache-Control"), HasSubstr("max-age"));
  const auto triangles = nlohmann::json::parse(answer->body).at("triangles").get<std::vector<std::size_t>>();
  const nlohmann::json found = faces_of(server, "/v1/analyze?mesh=1", astronaut());
  ASSERT_EQ(found["faces"].size(), 1U);
  const nlohmann::json& face = found["faces"][0];
  EXPECT_FALSE(face["face3d"].is_null());
  const auto pixels = face.at("mesh").at("pixels").get<std::vector<double>>();
  const auto depth = face.at("mesh").at("depth_mm").get<std::vector<double>>();
  ASSERT_EQ(pixels.size(), 2 * depth.size());
  ASSERT_EQ(triangles.size() % 3, 0U);
  ASSERT_EQ(*std::max_element(triangles.begin(), triangles.end()) + 1, depth.size());
  EXPECT_LT(face.at("mesh").dump().size(), 160000U);
  // Each landmark off the contour has a vertex nearby.
  for (std::size_t i = 17; i < 68; ++i) {
    double nearest = 1000;
    for (std::size_t v = 0; v < depth.size(); ++v)
      nearest = std::min(nearest, std::hypot(pixels[2 * v] - face["landmarks"][i][0].get<double>(),
                                             pixels[2 * v + 1] - face["landmarks"][i][1].get<double>()));
    EXPECT_LT(nearest, 4) << "landmark " << i;
  }
}

// What one answer holds is bounded, however many faces there are.
TEST(Serve, GivesMeshesOfTheFirstFaces) {
  const std::string file = astronaut();
  const Image picture = media::decode_picture(
      std::span(reinterpret_cast<const std::uint8_t*>(file.data()), file.size()), "astronaut.jpg", {});
  constexpr int kLeft = 110, kTop = 0, kSide = 220, kColumns = 5, kRows = 4;  // the head, tiled
  std::string many = "P6 1100 880 255\n";
  for (int y = 0; y < kSide * kRows; ++y)
    for (int x = 0; x < kSide * kColumns; ++x) {
      const std::uint8_t* bgr =
          picture.data() + 3 * ((kTop + y % kSide) * picture.width() + kLeft + x % kSide);
      for (const int channel : {2, 1, 0}) many += static_cast<char>(bgr[channel]);
    }
  Running server;
  const nlohmann::json found = faces_of(server, "/v1/analyze?mesh=1", many);
  ASSERT_GT(found["faces"].size(), 16U);
  for (std::size_t i = 0; i < found["faces"].size(); ++i) {
    EXPECT_FALSE(found["faces"][i].at("face3d").is_null()) << i;
    EXPECT_EQ(found["faces"][i].at("mesh").is_null(), i >= 16) << i;
  }
}

TEST(Serve, RefusesThreeDimensionsThatMakeNoSense) {
  Running server;
  for (const auto& [query, said] : std::vector<std::pair<std::string, std::string>>{
           {"face3d=yes", "parameter face3d: expected 0 or 1, found \"yes\""},
           {"mesh=2", "parameter mesh: expected 0 or 1, found \"2\""},
           {"face3d=0&mesh=1", "parameter mesh: there is none with face3d=0"}}) {
    const auto answer = server.client().Post("/v1/analyze?" + query, astronaut(), "image/jpeg");
    ASSERT_TRUE(answer) << query;
    EXPECT_EQ(answer->status, 400) << query;
    EXPECT_EQ(answer->get_header_value("Content-Type"), "application/problem+json");
    EXPECT_EQ(nlohmann::json::parse(answer->body).at("detail"), said);
  }
}

TEST(Serve, GoesOnWithoutAHead) {
  ::setenv("SPIGA_HEAD", "/nowhere/head.safetensors", 1);
  Running server;
  ::unsetenv("SPIGA_HEAD");
  const auto refused = server.client().Post("/v1/analyze?mesh=1", astronaut(), "image/jpeg");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 400);
  EXPECT_THAT(nlohmann::json::parse(refused->body).at("detail"), HasSubstr("needs head.safetensors"));
  EXPECT_THAT(refused->body, Not(HasSubstr("/nowhere")));
  EXPECT_EQ(server.client().Get("/v1/mesh")->status, 404);
  EXPECT_EQ(nlohmann::json::parse(server.client().Get("/v1/model")->body).at("face3d"), false);
  EXPECT_EQ(faces_of(server, "/v1/analyze", astronaut()).at("faces").size(), 1U);
}

// The part named image wherever it stands, else the first file; another field is no picture.
TEST(Serve, TakesThePictureOfAForm) {
  Running server;
  const auto post = [&](const httplib::MultipartFormDataItems& items) {
    return server.client().Post("/v1/analyze", items);
  };
  const auto noted = post({{"note", "hi", "", ""}, {"image", astronaut(), "a.jpg", "image/jpeg"}});
  ASSERT_TRUE(noted);
  ASSERT_EQ(noted->status, 200) << noted->body;
  EXPECT_EQ(nlohmann::json::parse(noted->body).at("source"), "a.jpg");
  EXPECT_EQ(post({{"note", "hi", "", ""}, {"upload", astronaut(), "b.jpg", "image/jpeg"}})->status, 200);
  EXPECT_EQ(post({{"readme", "hi", "a.txt", "text/plain"}, {"image", astronaut(), "", ""}})->status, 200);
  EXPECT_EQ(post({{"note", "hi", "", ""}})->status, 400);
}

TEST(Serve, RefusesWhatItCannotTake) {
  ServiceOptions service;
  service.limits.max_file_bytes = 1 << 20;
  Running server({}, service);
  const auto post = [&](const std::string& body) {
    httplib::Client client = server.client();
    const auto answer = client.Post("/v1/analyze", body, "application/octet-stream");
    return answer ? answer->status : -1;
  };
  EXPECT_EQ(post("not a picture"), 415);
  EXPECT_EQ(post(""), 400);
  EXPECT_EQ(post(astronaut().substr(0, 2000)), 400);
  EXPECT_EQ(post(enormous_png()), 413);
  EXPECT_EQ(post(std::string(100 << 20, 'x')), 413);
  // RFC 9457, and the member that clients of version 1 read.
  const auto refused = server.client().Post("/v1/analyze", "GIF89a", "image/gif");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->get_header_value("Content-Type"), "application/problem+json");
  const nlohmann::json problem = nlohmann::json::parse(refused->body);
  EXPECT_EQ(problem.at("status"), 415);
  EXPECT_EQ(problem.at("title"), "Unsupported Media Type");
  EXPECT_EQ(problem.at("detail"), problem.at("error"));
  EXPECT_EQ(server.client().Get("/v1/analyze")->status, 405);
  EXPECT_EQ(server.client().Get("/v1/analyze")->get_header_value("Allow"), "POST");
  EXPECT_EQ(server.client().Get("/nowhere")->status, 404);
  EXPECT_EQ(server.client().Post("/nowhere", "x", "text/plain")->status, 404);
  EXPECT_EQ(post(astronaut()), 200) << "and goes on";
}

TEST(Serve, AsksForTheToken) {
  Running server({.token = "secret"});
  const auto status_with = [&](const char* token) {
    httplib::Client client = server.client();
    if (token) client.set_bearer_token_auth(token);
    return client.Post("/v1/analyze", "x", "text/plain")->status;
  };
  EXPECT_EQ(status_with(nullptr), 401);
  EXPECT_EQ(status_with("secreT"), 401);
  EXPECT_EQ(status_with("secret"), 415);
  EXPECT_EQ(server.client().Get("/healthz")->status, 200);
}

TEST(Serve, EndsATrickle) {
  Running server({.limits = {.seconds = 0.3}});
  httplib::Client client = server.client();
  const auto begin = Clock::now();
  client.Post(
      "/v1/analyze",
      [&](std::size_t, httplib::DataSink& sink) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return Clock::now() - begin < std::chrono::seconds(5) && sink.write("x", 1);
      },
      "application/octet-stream");
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(4));
  server.drain();
  ASSERT_FALSE(server.log().empty());
  EXPECT_THAT(server.log().front(), HasSubstr("\"status\": 408"));
}

// A connection on which nothing proper is said.
class BrokenClient {
 public:
  explicit BrokenClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in place = {};
    place.sin_family = AF_INET;
    place.sin_port = htons(static_cast<std::uint16_t>(port));
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  }
  ~BrokenClient() { hang_up(); }
  BrokenClient(const BrokenClient&) = delete;
  BrokenClient& operator=(const BrokenClient&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& text) const { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
  bool connected_ = false;
};

TEST(Serve, AnswersBesideTwoHundredBrokenClients) {
  Running server({.limits = {.seconds = 2}});
  std::vector<std::unique_ptr<BrokenClient>> broken;
  for (int i = 0; i < 200; ++i) {
    broken.push_back(std::make_unique<BrokenClient>(server.port()));
    ASSERT_TRUE(broken.back()->connected());
    broken.back()->send(i % 4 == 0 ? "\x16\x03\x01 no HTTP at all\r\n\r\n"
                        : i % 4 == 1
                            ? "POST /v1/analyze HTTP/1.1\r\nContent-Le"
                            : "POST /v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nx");
    if (i % 4 == 2) broken.back()->hang_up();
  }
  const auto begin = Clock::now();
  for (int i = 0; i < 3; ++i) {
    for (int j = 3; j < 200; j += 4) broken[static_cast<std::size_t>(j)]->send("x");
    const auto answer = server.client().Post("/v1/analyze", astronaut(), "image/jpeg");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200) << answer->body;
  }
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(60));
  broken.clear();
  EXPECT_EQ(server.client().Get("/healthz")->status, 200);
}

// The listening socket dies under the server: it says so instead of trying for ever.
TEST(Serve, EndsWhereTheListeningSocketFails) {
  Service service({});
  Server server(service, {.port = 0});
  const int port = server.bind();
  std::future<Error> ended = std::async(
      std::launch::async, [&] { return testing::error_of([&] { server.run([] { return false; }); }); });
  httplib::Client("127.0.0.1", port).Get("/healthz");
  for (int socket = 3; socket < 1000; ++socket) {
    sockaddr_in place = {};
    socklen_t size = sizeof place;
    int listens = 0;
    socklen_t length = sizeof listens;
    if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0 &&
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&place), &size) == 0 &&
        ntohs(place.sin_port) == port)
      ::shutdown(socket, SHUT_RD);
  }
  ASSERT_EQ(ended.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(ended.get().code(), ErrorCode::io);
}

// Beside many who send a byte now and then, others are answered as before (bench/serve_slow.py has 2,000 and
// measures more closely).
TEST(Serve, KeepsItsRateBesideSlowClients) {
  constexpr int kSlow = 300, kAnswers = 300;
  Running server({.limits = {.seconds = 60, .header_seconds = 60, .bytes_per_second = 0}});
  const auto rate = [&] {
    httplib::Client client = server.client();
    client.set_keep_alive(true);
    const auto begin = Clock::now();
    for (int i = 0; i < kAnswers; ++i) {
      const auto answer = client.Get("/healthz");
      EXPECT_TRUE(answer && answer->status == 200);
    }
    return kAnswers / std::chrono::duration<double>(Clock::now() - begin).count();
  };
  const double alone = std::max({rate(), rate(), rate()});
  std::vector<std::unique_ptr<BrokenClient>> slow;
  for (int i = 0; i < kSlow; ++i) {
    slow.push_back(std::make_unique<BrokenClient>(server.port()));
    slow.back()->send("POST /v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  }
  std::atomic<bool> done = false;
  std::thread trickle([&] {
    while (!done) {
      for (const auto& client : slow) client->send("x");
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  });
  const double beside = std::max({rate(), rate(), rate(), rate(), rate()});
  done = true;
  trickle.join();
  EXPECT_GT(beside, 0.5 * alone);
  EXPECT_THAT(server.client().Get("/metrics")->body, HasSubstr("spiga_connections 30"));
  slow.clear();
}

// Whatever sizes come, memory stays: a picture of every 29th size, wide and high in turns.
TEST(Serve, HoldsItsMemoryWhateverSizesCome) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "measures memory";
#endif
  Running server;
  const auto post = [&](int width, int height) {
    std::string picture = "P5 " + std::to_string(width) + " " + std::to_string(height) + " 255\n";
    picture.resize(picture.size() + static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 'a');
    const auto answer = server.client().Post("/v1/analyze", picture, "image/x-portable-graymap");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200) << width << " x " << height;
  };
  const auto metric = [&](const std::string& name) {
    const std::string text = server.client().Get("/metrics")->body;
    return std::stod(text.substr(text.find("\n" + name + " ") + name.size() + 2));
  };
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1300, 1300}, {640, 640}, {1300, 700}})
    post(width, height);
  // Some sizes fill what is kept; the others must only replace them.
  const auto post_some = [&](int begin, int end) {
    for (int i = begin; i < end; ++i) post(16 + 29 * (i * 7 % 45), 16 + 29 * (i * 19 % 45));
  };
  post_some(0, 15);
  const double before = metric("process_resident_memory_bytes");
  post_some(15, 45);
  const double after = metric("process_resident_memory_bytes");
  EXPECT_LT(after, 400e6);
  EXPECT_LT(after - before, 60e6);
  RecordProperty("growth_mb", static_cast<int>((after - before) / 1e6));
  RecordProperty("resident_mb", static_cast<int>(after / 1e6));
  RecordProperty("kernels", static_cast<int>(metric("spiga_kernels")));
  EXPECT_LT(metric("spiga_kernels"), 600);
}

TEST(Serve, SendsAwayWhoFindsTheQueueFull) {
  ServiceOptions service;
  service.workers = 1;
  service.queue = 1;
  Running server({}, service);
  const std::string picture = astronaut();
  std::atomic<int> done = 0, busy = 0, other = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i)
    callers.emplace_back([&] {
      const auto answer = server.client().Post("/v1/analyze", picture, "image/jpeg");
      const int status = answer ? answer->status : -1;
      ++(status == 200 ? done : status == 429 ? busy : other);
      if (status == 429) {
        EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
      }
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_GE(done, 1);
  EXPECT_GE(busy, 1);
  EXPECT_EQ(other, 0);
}

// More workers than threads, so that faces of several requests share a batch; the first has all threads.
TEST(Serve, FindsTheSameForManyAsForOne) {
  ServiceOptions service;
  service.workers = 4;
  service.analyzer.precision = Precision::f32;
  service.analyzer.threads = 2;
  Running server({}, service);
  const std::string picture = astronaut();
  const auto yaw = [&] {
    const auto answer = server.client().Post("/v1/analyze", picture, "image/jpeg");
    if (!answer || answer->status != 200) return 1000.0;
    return nlohmann::json::parse(answer->body)["faces"][0]["headpose"]["yaw_deg"].get<double>();
  };
  const double alone = yaw();
  std::vector<std::future<double>> others;
  for (int i = 0; i < 12; ++i) others.push_back(std::async(std::launch::async, yaw));
  for (std::future<double>& other : others) EXPECT_NEAR(other.get(), alone, 0.02);
}

TEST(Serve, SaysHowItIs) {
  Running server;
  httplib::Client client = server.client();
  EXPECT_EQ(client.Get("/healthz")->body, "ok\n");
  EXPECT_NO_THROW(nlohmann::json::parse(client.Get("/openapi.json")->body));
  client.Get("/nowhere");
  // A request is counted once its answer is out, so the one who was answered may look too early.
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  std::string metrics;
  while (metrics.find("spiga_requests_total{code=\"404\"} 1\n") == std::string::npos &&
         Clock::now() < deadline)
    metrics = client.Get("/metrics")->body;
  EXPECT_THAT(metrics, HasSubstr("spiga_requests_total{code=\"404\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("spiga_requests_total{code=\"200\"} "));
  server.drain();
  for (const std::string& line : server.log()) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_GE(server.log().size(), 4U);
}

TEST(Serve, FinishesWhatIsUnderWay) {
  Running server;
  std::atomic<int> status = 0;
  std::thread caller([&] {
    const auto answer = server.client().Post("/v1/analyze", astronaut(), "image/jpeg");
    status = answer ? answer->status : -1;
  });
  while (server.service().metrics().find("admitted 1\n") == std::string::npos && status == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server.drain();
  caller.join();
  EXPECT_EQ(status, 200);
  EXPECT_FALSE(server.client().Get("/healthz"));
}

TEST(Serve, HasAPageThatLoadsNothingFromElsewhere) {
  Running server({.token = "secret"});
  httplib::Client client = server.client();
  const auto page = client.Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->get_header_value("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page->get_header_value("Content-Security-Policy"), StartsWith("default-src 'none'"));
  // Whatever the page names is there; nothing of it is inline or has another host.
  const std::regex link(R"re((?:src|href)="([^"]*)")re");
  int links = 0;
  for (std::sregex_iterator found(page->body.begin(), page->body.end(), link), end; found != end; ++found) {
    EXPECT_EQ(client.Get("/" + (*found)[1].str())->status, 200) << (*found)[1];
    ++links;
  }
  EXPECT_GE(links, 4);
  EXPECT_THAT(page->body, Not(HasSubstr("<style")));
  EXPECT_EQ(client.Post("/", "x", "text/plain")->status, 405);
}

TEST(Serve, DescribesItsModel) {
  Running server;
  const nlohmann::json model = nlohmann::json::parse(server.client().Get("/v1/model")->body);
  const int landmarks = static_cast<int>(model.at("landmark_ids").size());
  EXPECT_GT(landmarks, 60);
  EXPECT_FALSE(model.at("edges").empty());
  EXPECT_EQ(model.at("face3d"), true);
  for (const nlohmann::json& edge : model.at("edges"))
    for (const int landmark : edge.at("landmarks")) EXPECT_TRUE(0 <= landmark && landmark < landmarks);
}

TEST(Serve, SaysWhereItCannotListen) {
  Running running;
  for (const ServerOptions& options :
       {ServerOptions{.host = "256.0.0.1"}, ServerOptions{.port = running.port()}}) {
    Server server(running.service(), options);
    EXPECT_EQ(testing::error_of([&] { server.bind(); }).code(), ErrorCode::io) << options.host;
  }
}

}  // namespace
}  // namespace spiga::serve
