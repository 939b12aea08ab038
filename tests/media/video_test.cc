// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <opencv2/core.hpp>

#include "base/file.h"
#include "media/frame_boxes.h"
#include "media/video_capture.h"
#include "media/video_frames.h"
#include "media/video_source.h"
#include "media/video_text.h"
#include "media/video_writer.h"
#include "support/error_of.h"
#include "support/picture_files.h"
#include "support/temporary_folder.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

template <typename Action>
std::string error_of(const Action& action) {
  return spiga::testing::error_of(action).what();
}

// A grey picture; a video's frames can be told apart by it even after compression.
Image grey(int width, int height, int value) {
  Image image(width, height, PixelFormat::bgr8);
  std::fill_n(image.data(), static_cast<std::size_t>(image.height()) * image.stride_bytes(),
              static_cast<std::uint8_t>(value));
  return image;
}

int middle_of(const Image& image) {
  const ImageView view = image.view();
  return view.data[static_cast<std::ptrdiff_t>(view.height / 2) * view.stride_bytes + view.width / 2 * 3];
}

void write_video(const fs::path& path, int frames, int width = 64, int height = 48, double fps = 10) {
  VideoWriter writer(path, fps, width, height);
  for (int i = 0; i < frames; ++i) writer.write(grey(width, height, 40 + 5 * i));
  writer.finish();
}

std::vector<Frame> all_frames(VideoSource& source) {
  std::vector<Frame> frames;
  while (std::optional<Frame> frame = source.next()) frames.push_back(std::move(*frame));
  return frames;
}

class VideoTest : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  spiga::testing::TemporaryFolder folder_;
};

TEST_F(VideoTest, what_is_written_is_read_in_order_and_time) {
  for (const char* name : {"a.mp4", "a.avi", "a.mkv", "a.mov"}) {
    write_video(path(name), 20);
    const auto source = open_video(path(name));
    EXPECT_DOUBLE_EQ(source->info().fps, 10) << name;
    EXPECT_FALSE(source->info().live);
    const std::vector<Frame> frames = all_frames(*source);
    ASSERT_THAT(frames, SizeIs(20)) << name;
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(frames[i].index, i);
      EXPECT_NEAR(frames[i].time_s, 0.1 * i, 0.011) << name;
      EXPECT_NEAR(middle_of(frames[i].picture), 40 + 5 * i, 6) << name << ' ' << i;
    }
    EXPECT_THAT(source->problems(), IsEmpty());
  }
}

TEST_F(VideoTest, a_part_of_a_video_keeps_its_numbers_and_times) {
  write_video(path("a.mp4"), 20);
  for (int i = 0; i < 20; ++i)
    base::write_file(path(std::string("f") + std::to_string(i) + ".png"),
                     spiga::testing::encoded(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(40 + 5 * i)), ".png"));
  for (const char* name : {"a.mp4", "f%d.png"}) {
    VideoSourceOptions options = {.fps = 10, .frames = {.start_s = 0.45, .end_s = 1.5, .every = 4}};
    const auto source = open_video(path(name), options);
    EXPECT_EQ(source->info().frames, 3) << name;
    EXPECT_DOUBLE_EQ(source->info().fps, 2.5);
    const std::vector<Frame> frames = all_frames(*source);
    ASSERT_THAT(frames, SizeIs(3)) << name;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(frames[i].index, 5 + 4 * i);
      EXPECT_NEAR(frames[i].time_s, 0.5 + 0.4 * i, 1e-3);
      EXPECT_NEAR(middle_of(frames[i].picture), 40 + 5 * (5 + 4 * i), 6);
    }
    EXPECT_THAT(source->problems(), IsEmpty());
    options.frames = {.start_s = 3};
    const auto none = open_video(path(name), options);
    EXPECT_THAT(all_frames(*none), IsEmpty());
    EXPECT_THAT(none->problems(),
                ElementsAre(HasSubstr("expected frames from 3 s on, the last one is at 1.9")));
  }
}

// A GIF of grey pictures, ten a second. Codes are of 9 bits all along, since the table is cleared before it
// grows.
std::string animated_gif(int width, int height, const std::vector<int>& greys) {
  const auto word = [](int value) {
    return std::string{static_cast<char>(value & 255), static_cast<char>(value >> 8)};
  };
  std::string gif = "GIF89a" + word(width) + word(height) + std::string("\xF7\0\0", 3);
  for (int i = 0; i < 256; ++i) gif += std::string(3, static_cast<char>(i));
  for (const int grey : greys) {
    gif += std::string("\x21\xF9\x04\0", 4) + word(10) + std::string(2, '\0');
    gif += "," + word(0) + word(0) + word(width) + word(height) + std::string(1, '\0') + "\x08";
    std::string data;
    unsigned bits = 0, held = 0;
    const auto put = [&](unsigned code) {
      bits |= code << held;
      for (held += 9; held >= 8; held -= 8, bits >>= 8) data += static_cast<char>(bits & 255);
    };
    for (int i = 0; i < width * height; ++i) {
      if (i % 200 == 0) put(256);
      put(static_cast<unsigned>(grey));
    }
    put(257);
    data += static_cast<char>(bits & 255);
    for (std::size_t at = 0; at < data.size(); at += 255) {
      const std::string block = data.substr(at, 255);
      gif += static_cast<char>(block.size()) + block;
    }
    gif += '\0';
  }
  return gif + ";";
}

TEST_F(VideoTest, an_animated_gif_is_a_video) {
  base::write_file(path("a.gif"), animated_gif(64, 48, {40, 120, 200}));
  EXPECT_TRUE(names_a_video("a.GIF"));
  const auto source = open_video(path("a.gif"));
  const std::vector<Frame> frames = all_frames(*source);
  ASSERT_THAT(frames, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(middle_of(frames[i].picture), 40 + 80 * i, 2);
    EXPECT_NEAR(frames[i].time_s, 0.1 * i, 1e-3);
  }
  EXPECT_THAT(source->problems(), IsEmpty());
}

TEST_F(VideoTest, odd_sides_become_even_and_other_sizes_are_fitted_in) {
  VideoWriter writer(path("odd.mp4"), 10, 63, 47);
  writer.write(grey(63, 47, 200));
  writer.write(grey(126, 94, 200));
  writer.write(grey(20, 90, 200));
  writer.finish();
  const auto source = open_video(path("odd.mp4"));
  const std::vector<Frame> frames = all_frames(*source);
  ASSERT_THAT(frames, SizeIs(3));
  for (const Frame& frame : frames) {
    EXPECT_EQ(frame.picture.width(), 64);
    EXPECT_EQ(frame.picture.height(), 48);
    EXPECT_NEAR(middle_of(frame.picture), 200, 8);
  }
}

TEST_F(VideoTest, a_file_cut_short_is_read_as_far_as_it_goes_and_named) {
  VideoWriter writer(path("whole.avi"), 10, 320, 240);
  cv::RNG random(1);
  for (int i = 0; i < 40; ++i) {  // noise, so that frames are large and the file's head and index are small
    Image picture(320, 240, PixelFormat::bgr8);
    random.fill(cv::Mat(240, 320, CV_8UC3, picture.data()), cv::RNG::UNIFORM, 0, 255);
    writer.write(picture);
  }
  writer.finish();
  const std::string bytes = base::read_file(path("whole.avi"));
  base::write_file(path("cut.avi"), bytes.substr(0, bytes.size() / 2));
  const auto source = open_video(path("cut.avi"));
  const std::vector<Frame> frames = all_frames(*source);
  EXPECT_GT(frames.size(), 10U);
  EXPECT_LT(frames.size(), 30U);
  ASSERT_THAT(source->problems(), SizeIs(1));
  EXPECT_THAT(source->problems()[0], StartsWith(path("cut.avi").string() + ": "));
  EXPECT_THAT(source->problems()[0], HasSubstr("cut short after"));
}

TEST_F(VideoTest, what_is_no_video_is_named) {
  base::write_file(path("text.mp4"), "this is not a video");
  base::write_file(path("empty.mp4"), "");
  EXPECT_THAT(error_of([&] { open_video(path("text.mp4")); }), HasSubstr("text.mp4: expected a video"));
  EXPECT_THAT(error_of([&] { open_video(path("empty.mp4")); }), HasSubstr("empty.mp4: expected a video"));
  EXPECT_THAT(error_of([&] { open_video(path("absent.mp4")); }), HasSubstr("absent.mp4: no such file"));
  EXPECT_THAT(error_of([&] { open_video("camera:x"); }), HasSubstr("camera:x"));
  EXPECT_THAT(error_of([&] { open_video("camera:97"); }), HasSubstr("no such camera"));
  EXPECT_THAT(error_of([&] { open_video("raw:0x5"); }), HasSubstr("raw:0x5"));
}

// A capture that plays what a test wrote down: frames, and nothing for those that cannot be had.
class PlayedCapture : public Capture {
 public:
  struct Played {
    double time_s;
    bool readable = true;
    int width = 32;
  };
  PlayedCapture(std::deque<Played> frames, std::int64_t promised)
      : frames_(std::move(frames)), promised_(promised) {}

  std::optional<Image> read() override {
    if (frames_.empty() || !frames_.front().readable) return std::nullopt;
    const Played frame = frames_.front();
    frames_.pop_front();
    position_ = frame.time_s;
    return grey(frame.width, 24, 100);
  }
  double position_s() const override { return position_; }
  double fps() const override { return 10; }
  std::int64_t frames() const override { return promised_; }

 private:
  std::deque<Played> frames_;
  std::int64_t promised_;
  double position_ = 0;
};

TEST(FileSource, frames_that_do_not_decode_are_told_with_their_place) {
  std::deque<PlayedCapture::Played> frames;
  for (int i = 0; i < 50; ++i)
    if (i < 20 || i >= 27) frames.push_back({0.1 * i});
  const auto source = make_file_source("clip.mp4", std::make_unique<PlayedCapture>(frames, 50));
  EXPECT_THAT(all_frames(*source), SizeIs(43));
  EXPECT_THAT(source->problems(),
              ElementsAre("clip.mp4: 43 of 50 frames could be read: damaged, first near 2.00 s"));
}

TEST(FileSource, times_grow_where_the_container_has_none) {
  const auto source = make_file_source(
      "clip.mp4", std::make_unique<PlayedCapture>(std::deque<PlayedCapture::Played>{{0}, {0}, {0}}, 0));
  const std::vector<Frame> frames = all_frames(*source);
  ASSERT_THAT(frames, SizeIs(3));
  EXPECT_NEAR(frames[2].time_s, 0.2, 1e-9);
}

TEST(CameraSource, an_unplugged_camera_is_an_error_that_says_how_far_it_went) {
  const auto source = make_camera_source(
      "camera:0", std::make_unique<PlayedCapture>(std::deque<PlayedCapture::Played>{{0}, {0}, {0, false}}, 0),
      [] { return false; }, std::chrono::milliseconds(100));
  EXPECT_TRUE(source->next());
  const std::optional<Frame> second = source->next();
  ASSERT_TRUE(second);
  EXPECT_GT(second->time_s, 0);
  EXPECT_THAT(error_of([&] { source->next(); }),
              HasSubstr("camera:0: no frame for 0.1 s: unplugged? 2 frames were read"));
}

TEST(CameraSource, stops_when_asked_while_it_waits) {
  bool stop = false;
  const auto source = make_camera_source(
      "camera:0", std::make_unique<PlayedCapture>(std::deque<PlayedCapture::Played>{}, 0),
      [&stop] { return std::exchange(stop, true); }, std::chrono::seconds(60));
  EXPECT_FALSE(source->next());
}

using Played = std::deque<PlayedCapture::Played>;

TEST(StreamSource, a_stream_that_breaks_is_an_error_that_says_how_far_it_went) {
  const auto never = [] { return std::unique_ptr<Capture>(); };
  const auto source = make_stream_source("rtsp://x", std::make_unique<PlayedCapture>(Played{{0}, {0}}, 0),
                                         never, [] { return false; });
  EXPECT_TRUE(source->info().live);
  EXPECT_TRUE(source->next());
  EXPECT_GT(source->next()->time_s, 0);
  try {
    source->next();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_STREQ(error.what(), "rtsp://x: the stream ended or broke after 2 frames");
  }
}

TEST(StreamSource, is_opened_again_for_as_long_as_asked) {
  int tries = 0;
  const auto open_again = [&tries]() -> std::unique_ptr<Capture> {
    if (++tries != 3) throw Error(ErrorCode::not_found, "not there");
    return std::make_unique<PlayedCapture>(Played{{0}, {0}}, 0);
  };
  const auto source = make_stream_source(
      "rtsp://x", std::make_unique<PlayedCapture>(Played{{0}}, 0), open_again, [] { return false; },
      {.reconnect = std::chrono::milliseconds(300), .between_tries = std::chrono::milliseconds(20)});
  for (int i = 0; i < 3; ++i) {
    const std::optional<Frame> frame = source->next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->index, i);
  }
  EXPECT_EQ(tries, 3);
  EXPECT_THAT(source->problems(),
              ElementsAre(HasSubstr("rtsp://x: broken after 1 frames, open again after 0.")));
  EXPECT_THAT(error_of([&] { source->next(); }),
              HasSubstr("after 3 frames, and could not be opened again for 0.3 s"));
}

TEST(StreamSource, stops_when_asked_while_it_waits) {
  bool stop = false;
  const auto open_again = [&stop]() -> std::unique_ptr<Capture> {
    stop = true;
    throw Error(ErrorCode::not_found, "not there");
  };
  const auto source = make_stream_source("rtsp://x", std::make_unique<PlayedCapture>(Played{}, 0), open_again,
                                         [&stop] { return stop; }, {.reconnect = std::chrono::hours(1)});
  EXPECT_FALSE(source->next());
}

// An HTTP server of one connection on the loopback: pictures as motion JPEG, and then it breaks off or falls
// silent.
class MjpegServer {
 public:
  enum class End { breaks, silent };
  MjpegServer(int frames, End end) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, frames, end] { serve(frames, end); });
  }
  ~MjpegServer() {
    shutdown(listener_, SHUT_RDWR);
    ended_ = true;
    thread_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/live.mjpg"; }

 private:
  void serve(int frames, End end) {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    char request[4096];
    EXPECT_GT(recv(client, request, sizeof request, 0), 0);
    send_text(client, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n");
    for (int i = 0; i < frames && !ended_; ++i) {
      const std::string jpeg = spiga::testing::encoded(spiga::testing::quarters(64, 48), ".jpg");
      send_text(client, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: " +
                            std::to_string(jpeg.size()) + "\r\n\r\n" + jpeg + "\r\n");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    while (end == End::silent && !ended_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    close(client);
  }
  static void send_text(int client, const std::string& text) {
    static_cast<void>(send(client, text.data(), text.size(), MSG_NOSIGNAL));
  }

  int listener_;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

TEST(NetworkStream, one_without_a_length_is_live_and_its_end_an_error) {
  const MjpegServer server(20, MjpegServer::End::breaks);
  const auto source = open_video(server.url(), {.patience = std::chrono::seconds(20)});
  EXPECT_TRUE(source->info().live);
  int frames = 0;
  EXPECT_THAT(error_of([&] {
                for (; source->next(); ++frames) {
                }
              }),
              HasSubstr("the stream ended or broke after"));
  EXPECT_GT(frames, 10);
}

TEST(NetworkStream, one_that_falls_silent_is_an_error_in_time) {
  const MjpegServer server(20, MjpegServer::End::silent);
  const auto source = open_video(server.url(), {.patience = std::chrono::seconds(2)});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(error_of([&] {
                while (source->next()) {
                }
              }),
              HasSubstr("the stream ended or broke after"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(NetworkStream, one_that_is_not_there_is_named) {
  EXPECT_THAT(error_of([] { open_video("http://127.0.0.1:9/live.mjpg"); }),
              HasSubstr("live.mjpg: the stream cannot be opened"));
}

// Bytes in a pipe that has been closed.
class Pipe {
 public:
  explicit Pipe(const std::string& bytes) {
    EXPECT_EQ(pipe(ends_), 0);
    EXPECT_EQ(write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    close(ends_[1]);
  }
  ~Pipe() { close(ends_[0]); }
  int descriptor() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
};

TEST(RawFrames, every_format_becomes_bgr) {
  const std::vector<std::pair<std::string, std::string>> formats = {{"bgr8", {10, 20, 30}},
                                                                    {"rgb8", {30, 20, 10}},
                                                                    {"bgra8", {10, 20, 30, -1}},
                                                                    {"rgba8", {30, 20, 10, -1}},
                                                                    {"gray8", {20}}};
  for (const auto& [name, pixel] : formats) {
    std::string bytes;
    for (int i = 0; i < 4 * 2 * 3; ++i) bytes += pixel;  // three frames
    const Pipe pipe(bytes);
    const auto source =
        open_raw_frames(parse_raw_format("raw:4x2:" + name), 50, pipe.descriptor(), [] { return false; });
    const std::vector<Frame> frames = all_frames(*source);
    ASSERT_THAT(frames, SizeIs(3)) << name;
    EXPECT_NEAR(frames[2].time_s, 0.04, 1e-9);
    const std::uint8_t* first = frames[1].picture.data();
    if (name == "gray8") {
      EXPECT_THAT(std::vector<int>(first, first + 3), ElementsAre(20, 20, 20));
    } else {
      EXPECT_THAT(std::vector<int>(first, first + 3), ElementsAre(10, 20, 30)) << name;
    }
    EXPECT_THAT(source->problems(), IsEmpty());
  }
}

TEST(RawFrames, a_last_frame_that_is_cut_short_is_told) {
  const Pipe pipe(std::string(4 * 2 * 3 + 7, 'x'));
  const auto source =
      open_raw_frames(parse_raw_format("raw:4x2"), 25, pipe.descriptor(), [] { return false; });
  EXPECT_THAT(all_frames(*source), SizeIs(1));
  ASSERT_THAT(source->problems(), SizeIs(1));
  EXPECT_THAT(source->problems()[0], HasSubstr("7"));
}

TEST_F(VideoTest, numbered_pictures_are_frames_and_a_bad_one_is_left_out) {
  for (int i : {1, 2, 3, 9, 10}) {
    const std::string bytes =
        spiga::testing::encoded(cv::Mat(24, 32, CV_8UC3, cv::Scalar::all(10 * i)), ".png");
    base::write_file(path(std::string("f") + std::to_string(i) + ".png"), i == 3 ? "no picture" : bytes);
  }
  for (const auto& [name, sequence] : {std::pair{path("f%d.png"), false}, {folder_.path(), true}}) {
    const auto source = open_video(name, {.fps = 5, .sequence = sequence});
    const std::vector<Frame> frames = all_frames(*source);
    ASSERT_THAT(frames, SizeIs(4));
    EXPECT_EQ(frames[2].index, 3);
    EXPECT_NEAR(frames[2].time_s, 0.6, 1e-9);
    EXPECT_EQ(middle_of(frames[3].picture), 100);
    ASSERT_THAT(source->problems(), SizeIs(1));
    EXPECT_THAT(source->problems()[0], HasSubstr("f3.png"));
  }
}

TEST_F(VideoTest, a_full_disk_stops_the_writer_and_what_was_written_plays) {
  std::uintmax_t space = UINTMAX_MAX;
  VideoWriter writer(path("out.mp4"), 10, 64, 48, [&space](const fs::path&) { return space; });
  for (int i = 0; i < 8; ++i) writer.write(grey(64, 48, 40 + 5 * i));
  space = 1000;
  EXPECT_THAT(error_of([&] { writer.write(grey(64, 48, 100)); }),
              HasSubstr("out.mp4: the disk is full after 8 frames"));
  writer.finish();
  const auto source = open_video(path("out.mp4"));
  EXPECT_THAT(all_frames(*source), SizeIs(8));
}

TEST_F(VideoTest, an_abandoned_video_leaves_nothing) {
  { VideoWriter(path("out.mp4"), 10, 64, 48).write(grey(64, 48, 40)); }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  EXPECT_THAT(error_of([&] { VideoWriter(path("out.gif"), 10, 64, 48); }), HasSubstr("out.gif: expected"));
  EXPECT_THAT(error_of([&] { VideoWriter(path("no/out.mp4"), 10, 64, 48); }), HasSubstr("no such folder"));
}

TEST_F(VideoTest, boxes_of_frames_come_from_our_own_table_too) {
  base::write_file(path("boxes.csv"), "frame,x,y,width,height\n0,1,2,3,4\n2,5,6,7,8\n2,9,9,9,9\n");
  std::vector<std::string> problems;
  const auto note = [&](const std::string& problem) { problems.push_back(problem); };
  const FrameBoxes boxes(path("boxes.csv"), note);
  EXPECT_THAT(boxes.at(0), SizeIs(1));
  EXPECT_THAT(boxes.at(1), IsEmpty());
  ASSERT_THAT(boxes.at(2), SizeIs(2));
  EXPECT_FLOAT_EQ(static_cast<float>(boxes.at(2)[0].box.y), 6);
  base::write_file(
      path("bad.csv"),
      "\xEF\xBB\xBF\"frame\",x,y,width,height,note\n0,1,2,three,4,\n1,5,6,7,8,\"a,\nb\"\n2,5,6,7,-8,\n");
  const FrameBoxes rest(path("bad.csv"), note);
  EXPECT_THAT(problems, ::testing::ElementsAre(HasSubstr("bad.csv:2: expected a frame's number and a box"),
                                               HasSubstr("bad.csv:5: ")));
  EXPECT_THAT(rest.at(1), SizeIs(1));
  base::write_file(path("bad.csv"), "frame,x,y,width\n0,1,2,3\n");
  EXPECT_THAT(error_of([&] { FrameBoxes(path("bad.csv"), note); }), HasSubstr("bad.csv:1: expected columns"));
}

TEST(VideoText, a_lost_face_has_a_row_without_success_and_as_many_columns) {
  FrameFaces frame{7, 0.28, 640, 480, {}};
  TrackedFace found{.id = 3, .confidence = 0.5f, .found = true, .face = {}};
  found.face.landmarks = {{1, 2}, {3, 4}};
  found.face.uncertainty = {0.5f, 0.5f};
  frame.faces = {found, {.id = 4, .confidence = 0.1f, .found = false, .face = {}}};
  std::string table;
  append_video_csv_header(table, 2);
  EXPECT_THAT(table, StartsWith("frame,face_id,timestamp,confidence,success,"));
  const auto columns = std::ranges::count(table, ',');
  std::string rows;
  append_video_csv_rows(rows, frame, 2);
  EXPECT_EQ(std::ranges::count(rows, ','), 2 * columns) << rows;
  EXPECT_THAT(rows, StartsWith("7,3,0.2800,0.5000,1,"));
  EXPECT_THAT(rows, HasSubstr("\n7,4,0.2800,0.1000,0,"));
  std::string line;
  append_json_line(line, frame);
  EXPECT_THAT(line, HasSubstr("\"id\":3"));
  EXPECT_THAT(line, ::testing::Not(HasSubstr("\"id\":4")));
}

}  // namespace
}  // namespace spiga::media
