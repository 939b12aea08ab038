// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "media/video_text.h"

namespace spiga::media {

// Sends every frame's faces to another program by UDP, which neither waits nor asks whether anybody listens:
// as JSON lines (udp://HOST:PORT) or as the VMC protocol's messages (osc://HOST:PORT), which drive an avatar.
// One thread at a time.
class LiveSender {
 public:
  // Throws Error(invalid_argument) where the address is none or the host has none.
  explicit LiveSender(const std::string& url);
  LiveSender(const LiveSender&) = delete;
  LiveSender& operator=(const LiveSender&) = delete;
  ~LiveSender();

  // Whether `url` asks for faces in three dimensions.
  static bool needs_face3d(const std::string& url) { return url.starts_with("osc:"); }

  // `json_line`: the frame as append_json_line has it. What cannot be sent is counted.
  void send(const FrameFaces& frame, std::string_view json_line);

  // What went wrong so far: the first, and how many.
  std::vector<std::string> problems() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The VMC protocol's datagrams for one frame, of at most 1,400 bytes each: status, time, the head's turn
// before the camera, blendshapes by ARKit's names with a capital letter. An avatar is one person: the face
// with the lowest id that could be fitted; without any, status and time alone.
std::vector<std::string> vmc_datagrams(const FrameFaces& frame);

}  // namespace spiga::media
