// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "serve/http_front.h"

namespace spiga::serve {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Says what it was asked: "POST /a?b 3 bytes". "/refused" wants no bodies, "/slow" takes a moment.
class Echo {
 public:
  explicit Echo(const HttpLimits& limits = {})
      : front_(limits,
               {.admit = admit,
                .handle =
                    [this](HttpRequest request, HttpHandler::Reply reply) {
                      if (request.path != "/slow") return reply(echo(request));
                      later_.emplace_back([request = std::move(request), reply = std::move(reply)] {
                        std::this_thread::sleep_for(std::chrono::milliseconds(300));
                        reply(echo(request));
                      });
                    },
                .note = [this](const HttpRequest&, int status, std::size_t, double) { last_ = status; },
                .tick = [](Clock::time_point) {}}),
        port_(front_.bind("127.0.0.1", 0)),
        thread_([this] { front_.run([this] { return stop_.load(); }); }) {}
  ~Echo() {
    end();
    for (std::thread& one : later_) one.join();
  }
  void end() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void ask_to_end() { stop_ = true; }
  int port() const { return port_; }
  HttpFront& front() { return front_; }
  int last_status() const { return last_; }

 private:
  static std::optional<HttpResponse> admit(const HttpRequest& request) {
    if (request.path == "/refused") return problem(404, "no such path");
    return {};
  }
  static HttpResponse echo(const HttpRequest& request) {
    return {.type = "text/plain",
            .body = request.method + " " + request.path + "?" + request.query + " " +
                    std::to_string(request.body.size()) + " bytes\n"};
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> last_ = 0;
  std::vector<std::thread> later_;
  HttpFront front_;
  int port_;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(int port, const char* from = "127.0.0.1") : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in mine = {}, place = {};
    mine.sin_family = place.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &mine.sin_addr);
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&mine), sizeof mine);
    place.sin_port = htons(static_cast<std::uint16_t>(port));
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& text) const {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t size = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return;
      sent += static_cast<std::size_t>(size);
    }
  }
  void finish() const { ::shutdown(socket_, SHUT_WR); }
  // Until `end` has come, the connection is closed, or 20 seconds are over.
  std::string receive(const std::string& end = "never") const {
    const timeval longest = {20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    std::string text;
    char buffer[4096];
    while (!text.ends_with(end)) {
      const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
      if (size < 0) return text + "(nothing more)";
      if (size == 0) break;
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }
  std::string ask(const std::string& text) const {
    send(text);
    return receive();
  }

 private:
  int socket_;
};

std::string post(const std::string& headers, const std::string& body = "") {
  return "POST /a?b HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

TEST(HttpFront, AnswersRequestsInTheirOrder) {
  Echo echo;
  Client client(echo.port());
  client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + post("Content-Length: 3\r\n", "abc") +
              post("Transfer-Encoding: chunked\r\n", "2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nTrailer: z\r\n\r\n") +
              "HEAD /head HTTP/1.1\r\nHost: x\r\n\r\nGET /last HTTP/1.0\r\n\r\n");
  const std::string all = client.receive();
  std::size_t at = 0;
  for (const char* expected : {"GET /slow? 0 bytes\n", "POST /a?b 3 bytes\n", "POST /a?b 5 bytes\n",
                               "Content-Length: 19", "GET /last? 0 bytes\n"}) {
    const std::size_t found = all.find(expected, at);
    ASSERT_NE(found, std::string::npos) << expected << " in\n" << all;
    at = found;
  }
  EXPECT_THAT(all, Not(HasSubstr("HEAD /head"))) << "no body for HEAD";
  EXPECT_THAT(all, HasSubstr("Connection: close\r\n\r\nGET /last"));
}

TEST(HttpFront, TakesRequestsByteByByte) {
  Echo echo;
  Client client(echo.port());
  for (const char c : post("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\n\r\n"))
    client.send(std::string(1, c));
  EXPECT_THAT(client.receive("bytes\n"), EndsWith("POST /a?b 2 bytes\n"));
}

TEST(HttpFront, SaysThatABodyMayCome) {
  Echo echo;
  Client client(echo.port());
  client.send(post("Expect: 100-continue\r\nContent-Length: 3\r\n"));
  EXPECT_EQ(client.receive("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_THAT(client.receive("bytes\n"), EndsWith("POST /a?b 3 bytes\n"));
  EXPECT_THAT(Client(echo.port()).ask(post("Expect: miracles\r\nContent-Length: 3\r\n")), HasSubstr(" 417 "));
  const std::string refused =
      Client(echo.port())
          .ask("POST /refused HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(refused, HasSubstr("Connection: close"));
}

TEST(HttpFront, RefusesWhatItCannotTake) {
  Echo echo({.idle_seconds = 0.3, .header_bytes = 2000, .body_bytes = 100});
  const auto ask = [&](const std::string& text) {
    Client client(echo.port());
    client.send(text);
    client.finish();
    const std::string answer = client.receive();
    return answer.size() < 12 ? answer : answer.substr(9, 3);
  };
  EXPECT_EQ(ask(post("X: " + std::string(3000, 'x') + "\r\n")), "431");
  EXPECT_EQ(ask("GET /" + std::string(3000, 'x')), "431");
  EXPECT_EQ(ask(post("Content-Length: 101\r\n", std::string(101, 'x'))), "413");
  EXPECT_EQ(ask(post("Content-Length: 99999999999999999999999\r\n")), "400");
  EXPECT_EQ(ask(post("Content-Length: -1\r\n")), "400");
  EXPECT_EQ(ask(post("Transfer-Encoding: chunked\r\n", "65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n")),
            "413");
  EXPECT_EQ(ask(post("Transfer-Encoding: chunked\r\n", "zz\r\n")), "400");
  EXPECT_EQ(ask(post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")), "400");
  EXPECT_EQ(ask(post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")), "400");
  EXPECT_EQ(ask(post("Content-Length: 3\r\n", "ab")), "400");
  EXPECT_EQ(ask("POST /a HTTP/1.1\r\n\r\n"), "400") << "no host";
  EXPECT_EQ(ask("\x16\x03\x01 no HTTP\r\n\r\n"), "400");
  EXPECT_EQ(ask("GET / HTTP/3.0\r\nHost: x\r\n\r\n"), "505");
  EXPECT_EQ(ask(""), "");
}

double seconds_until_closed(const Client& client, std::string& answer) {
  const auto begin = Clock::now();
  answer = client.receive();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

TEST(HttpFront, EndsWhoeverKeepsItWaiting) {
  Echo echo({.seconds = 6, .header_seconds = 0.4, .idle_seconds = 0.2, .bytes_per_second = 100});
  std::string answer;
  {
    const Client idle(echo.port());
    EXPECT_LT(seconds_until_closed(idle, answer), 10);
    EXPECT_EQ(answer, "");
  }
  {
    const Client header(echo.port());
    header.send("GET / HTT");
    EXPECT_LT(seconds_until_closed(header, answer), 10);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  }
  {
    const Client body(echo.port());  // the deadline of the whole would be 6 seconds
    body.send(post("Content-Length: 1000\r\n", "abc"));
    EXPECT_LT(seconds_until_closed(body, answer), 10);
    EXPECT_THAT(answer, HasSubstr("slower than 100 bytes a second"));
  }
  EXPECT_EQ(echo.front().counts().slow_clients, 2U);
}

TEST(HttpFront, EndsARequestThatIsNotThereInTime) {
  Echo echo({.seconds = 0.5, .bytes_per_second = 0});
  const Client client(echo.port());
  client.send(post("Content-Length: 1000\r\n", "abc"));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpFront, BoundsConnectionsInAllAndPerAddress) {
  Echo echo({.connections = 3, .per_address = 2});
  const Client one(echo.port()), two(echo.port());
  const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const Client* client : {&one, &two}) {
    client->send(get);
    EXPECT_THAT(client->receive("bytes\n"), EndsWith("0 bytes\n"));
  }
  EXPECT_THAT(Client(echo.port()).ask(get), Not(HasSubstr("200"))) << "the third of an address";
  const Client other(echo.port(), "127.0.0.2");
  other.send(get);
  EXPECT_THAT(other.receive("bytes\n"), EndsWith("0 bytes\n"));
  EXPECT_THAT(Client(echo.port(), "127.0.0.3").ask(get), Not(HasSubstr("200"))) << "the fourth in all";
  EXPECT_EQ(echo.front().counts().refused_connections, 2U);
  EXPECT_EQ(echo.front().counts().connections, 3U);
}

TEST(HttpFront, BoundsTheBytesThatItHolds) {
  Echo echo({.held_bytes = 100000});
  {
    const Client first(echo.port());
    first.send(post("Content-Length: 90001\r\n", std::string(90000, 'x')));
    while (echo.front().counts().held_bytes < 90000) std::this_thread::yield();
    const std::string answer =
        Client(echo.port()).ask(post("Content-Length: 90000\r\n", std::string(90000, 'x')));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
    first.send("x");
    EXPECT_THAT(first.receive("bytes\n"), EndsWith("90001 bytes\n"));
  }
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (echo.front().counts().connections > 0 && Clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(echo.front().counts().held_bytes, 0U);
}

TEST(HttpFront, FinishesWhatIsUnderWay) {
  Echo echo;
  const Client idle(echo.port()), slow(echo.port()), sending(echo.port());
  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  sending.send(post("Content-Length: 3\r\n", "ab"));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  echo.ask_to_end();
  EXPECT_EQ(idle.receive(), "");
  sending.send("c");
  for (const Client* client : {&slow, &sending}) {
    const std::string answer = client->receive();
    EXPECT_THAT(answer, EndsWith(" bytes\n"));
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
  }
  echo.end();
}

TEST(HttpFront, OutlivesClientsThatLeave) {
  Echo echo;
  for (int i = 0; i < 30; ++i) {
    const Client client(echo.port());
    client.send(i % 3 == 0   ? "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
                : i % 3 == 1 ? post("Content-Length: 1000\r\n", "abc")
                             : "GET /a HTTP/1.1\r\n");
  }
  EXPECT_THAT(Client(echo.port()).ask("GET /a HTTP/1.0\r\n\r\n"), EndsWith("0 bytes\n"));
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (echo.front().counts().connections > 0 && Clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(echo.front().counts().connections, 0U);
}

TEST(HttpFront, TakesASocketPair) {
  Echo echo;
  int pair[2] = {};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  echo.front().adopt(pair[0]);
  const std::string get = "GET /a HTTP/1.0\r\n\r\n";
  ASSERT_EQ(::write(pair[1], get.data(), get.size()), static_cast<ssize_t>(get.size()));
  std::string answer;
  char buffer[256];
  for (ssize_t size; (size = ::read(pair[1], buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(size));
  EXPECT_THAT(answer, EndsWith("GET /a? 0 bytes\n"));
  ::close(pair[1]);
}

}  // namespace
}  // namespace spiga::serve
