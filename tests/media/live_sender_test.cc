// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/live_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "media/osc.h"
#include "support/error_of.h"
#include "support/udp_receiver.h"

namespace spiga::media {
namespace {

using spiga::testing::Receiver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What a receiver makes of a bundle: address, tags, arguments. Reads as the specification of OSC 1.0 says,
// and throws where the bytes are against it.
struct Message {
  std::string address, tags;
  std::vector<std::string> texts;
  std::vector<double> numbers;
};

class OscReader {
 public:
  explicit OscReader(std::string bytes) : bytes_(std::move(bytes)) {}
  bool at_end() const { return at_ == bytes_.size(); }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes_.at(at_++));
    return value;
  }
  std::string text() {
    const std::size_t end = bytes_.find('\0', at_);
    if (end == std::string::npos) throw std::runtime_error("text without an end");
    const std::string found = bytes_.substr(at_, end - at_);
    for (at_ = end; at_ % 4 || at_ == end; ++at_)
      if (bytes_.at(at_) != 0) throw std::runtime_error("padding that is not 0");
    return found;
  }
  Message message() {
    Message message{text(), text(), {}, {}};
    for (const char tag : message.tags.substr(1)) {
      if (tag == 's') message.texts.push_back(text());
      if (tag == 'i') message.numbers.push_back(static_cast<std::int32_t>(word()));
      if (tag == 'f') message.numbers.push_back(std::bit_cast<float>(word()));
    }
    return message;
  }
  std::vector<Message> bundle() {
    if (text() != "#bundle" || word() != 0 || word() != 1) throw std::runtime_error("not a bundle for now");
    std::vector<Message> messages;
    while (!at_end()) {
      const std::size_t size = word();
      OscReader inner(bytes_.substr(at_, size));
      messages.push_back(inner.message());
      if (!inner.at_end() || size % 4) throw std::runtime_error("a message of another size");
      at_ += size;
    }
    return messages;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

FrameFaces a_frame() {
  static const FaceModel model = FaceModel::load("models/head.safetensors");
  CameraPose turned;  // to the picture's right, by 20 degrees about the axis that points down
  const double c = std::cos(20 * 3.14159265358979 / 180), s = std::sin(20 * 3.14159265358979 / 180);
  turned.rotation = {{{c, 0, -s}, {0, 1, 0}, {s, 0, c}}};
  turned.translation_mm = {0, 0, 600};
  std::vector<float> expression(model.expression_names().size(), 0);
  for (std::size_t k = 0; k < expression.size(); ++k)
    if (model.expression_names()[k] == "jawOpen") expression[k] = 0.5f;
  FrameFaces frame;
  frame.frame = 7;
  frame.time_s = 0.28;
  frame.faces.resize(3);
  frame.faces[0].id = 4;
  frame.faces[1].id = 1;
  frame.faces[1].found = false;
  frame.faces[2].id = 3;
  frame.in_3d = Faces3d{
      guessed_camera(640, 480),
      {model.make({}, {}, {.translation_mm = {0, 0, 700}}), std::nullopt, model.make({}, expression, turned)},
      {{}, {}, {}}};
  return frame;
}

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

// The two examples of the specification (opensoundcontrol.org, OSC 1.0).
TEST(Osc, MessagesAreThoseOfTheSpecification) {
  EXPECT_EQ(osc_message("/oscillator/4/frequency", {440.0f}),
            std::string("/oscillator/4/frequency\0,f\0\0", 28) + bytes_of({0x43, 0xdc, 0, 0}));
  EXPECT_EQ(osc_message("/foo", {1000, -1, std::string_view("hello"), 1.234f, 5.678f}),
            std::string("/foo\0\0\0\0,iisff\0\0", 16) +
                bytes_of({0,   0, 3, 0xe8, 0xff, 0xff, 0xff, 0xff, 'h',  'e',  'l',  'l',
                          'o', 0, 0, 0,    0x3f, 0x9d, 0xf3, 0xb6, 0x40, 0xb5, 0xb2, 0x2d}));
}

TEST(LiveSender, JsonLinesArriveWhole) {
  const Receiver receiver;
  LiveSender sender(receiver.url("udp"));
  std::string line;
  append_json_line(line, a_frame());
  sender.send(a_frame(), line);
  const std::string received = receiver.next();
  EXPECT_EQ(received, line);
  EXPECT_EQ(nlohmann::json::parse(received)["frame"], 7);
  EXPECT_THAT(sender.problems(), IsEmpty());
}

TEST(LiveSender, AvatarsGetHeadAndBlendshapesOfTheFirstPerson) {
  const Receiver receiver;
  LiveSender sender(receiver.url("osc"));
  sender.send(a_frame(), "");
  std::vector<Message> messages;
  while (messages.empty() || messages.back().address != "/VMC/Ext/Blend/Apply") {
    const std::string datagram = receiver.next();
    ASSERT_FALSE(datagram.empty());
    EXPECT_LE(datagram.size(), 1400u);
    for (const Message& message : OscReader(datagram).bundle()) messages.push_back(message);
  }
  EXPECT_EQ(messages[0].address, "/VMC/Ext/OK");
  EXPECT_EQ(messages[0].tags, ",i");
  EXPECT_THAT(messages[0].numbers, ElementsAre(1));
  EXPECT_EQ(messages[1].address, "/VMC/Ext/T");
  EXPECT_FLOAT_EQ(static_cast<float>(messages[1].numbers.at(0)), 0.28f);
  const Message& head = messages[2];
  EXPECT_EQ(head.address, "/VMC/Ext/Bone/Pos");
  EXPECT_EQ(head.tags, ",sfffffff");
  EXPECT_THAT(head.texts, ElementsAre("Head"));
  // An avatar's x points to its right, y up, z ahead: this one turns to its left, by 20 degrees about y.
  ASSERT_THAT(head.numbers, SizeIs(7));
  const double half = 10 * 3.14159265358979 / 180;
  EXPECT_NEAR(head.numbers[4], -std::sin(half), 1e-4);
  EXPECT_NEAR(head.numbers[6], std::cos(half), 1e-4);
  EXPECT_NEAR(head.numbers[3], 0, 1e-4);
  EXPECT_NEAR(head.numbers[5], 0, 1e-4);
  std::map<std::string, double> values;
  for (const Message& message : messages)
    if (message.address == "/VMC/Ext/Blend/Val") {
      EXPECT_EQ(message.tags, ",sf");
      values[message.texts.at(0)] = message.numbers.at(0);
    }
  EXPECT_EQ(values.size(), blendshapes().size());
  EXPECT_NEAR(values.at("JawOpen"), 0.5, 1e-6);
  EXPECT_EQ(values.at("EyeBlinkLeft"), 0);
}

TEST(LiveSender, WithoutAFaceItSaysThatThereIsNone) {
  FrameFaces empty;
  empty.time_s = 2;
  const std::vector<std::string> datagrams = vmc_datagrams(empty);
  ASSERT_THAT(datagrams, SizeIs(1));
  const std::vector<Message> messages = OscReader(datagrams[0]).bundle();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_THAT(messages[0].numbers, ElementsAre(0));
}

TEST(LiveSender, LinesThatNoDatagramHoldsAreCounted) {
  const Receiver receiver;
  LiveSender sender(receiver.url("udp"));
  sender.send({}, std::string(70000, 'x'));
  sender.send({}, std::string(70000, 'x'));
  sender.send({}, "{}\n");
  EXPECT_EQ(receiver.next(), "{}\n");
  ASSERT_THAT(sender.problems(), SizeIs(1));
  EXPECT_THAT(sender.problems()[0], HasSubstr("70000 bytes"));
  EXPECT_THAT(sender.problems()[0], HasSubstr("first of 2"));
}

TEST(LiveSender, AddressesThatAreNoneAreNamed) {
  for (const char* url : {"", "udp:/x:1", "http://localhost:80", "udp://localhost", "osc://localhost:0",
                          "udp://localhost:99999", "udp://:9000", "osc://localhost:x"})
    EXPECT_THAT(std::string(spiga::testing::error_of([&] { const LiveSender sender(url); }).what()),
                HasSubstr("expected udp://HOST:PORT or osc://HOST:PORT"))
        << url;
  EXPECT_THAT(std::string(spiga::testing::error_of([&] {
                            const LiveSender sender("udp://no-such-host.invalid:9000");
                          }).what()),
              HasSubstr("no-such-host.invalid"));
}

}  // namespace
}  // namespace spiga::media
