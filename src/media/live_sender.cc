// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/live_sender.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "media/osc.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

constexpr std::size_t kMostDatagramBytes = 65507;  // of UDP over IPv4
constexpr std::size_t kMostBundleBytes = 1400;     // fits an Ethernet frame

[[noreturn]] void refuse(const std::string& url, const std::string& what) {
  throw Error(
      ErrorCode::invalid_argument,
      base::concat("--send ", base::printable(url), ": expected udp://HOST:PORT or osc://HOST:PORT", what));
}

struct Address {
  bool osc = false;
  std::string host, port;
};

Address parse(const std::string& url) {
  Address address;
  std::string_view rest = url;
  if (rest.starts_with("osc://")) {
    address.osc = true;
  } else if (!rest.starts_with("udp://")) {
    refuse(url, "");
  }
  rest.remove_prefix(6);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) refuse(url, ", found no port");
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::optional<long long> port = base::parse_int(rest.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) refuse(url, ", with a port of 1 to 65535");
  if (host.empty()) refuse(url, ", found no host");
  address.host = host;
  address.port = std::to_string(*port);
  return address;
}

// ARKit's names as avatars have them: "jawOpen" is "JawOpen".
std::string capitalised(std::string_view name) {
  std::string text(name);
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

const Face3d* first_person(const FrameFaces& frame) {
  const Face3d* face = nullptr;
  int id = 0;
  if (!frame.in_3d) return face;
  for (std::size_t i = 0; i < frame.faces.size(); ++i)
    if (frame.in_3d->faces[i] && (!face || frame.faces[i].id < id)) {
      face = &*frame.in_3d->faces[i];
      id = frame.faces[i].id;
    }
  return face;
}

}  // namespace

std::vector<std::string> vmc_datagrams(const FrameFaces& frame) {
  std::vector<std::string> datagrams;
  OscBundle bundle;
  const auto add = [&](const std::string& message) {
    if (!bundle.empty() && bundle.bytes().size() + 4 + message.size() > kMostBundleBytes) {
      datagrams.push_back(bundle.bytes());
      bundle = OscBundle();
    }
    bundle.add(message);
  };
  const Face3d* face = first_person(frame);
  add(osc_message("/VMC/Ext/OK", {face ? 1 : 0}));
  add(osc_message("/VMC/Ext/T", {static_cast<float>(frame.time_s)}));
  if (face) {
    // An avatar's axes (x to its right, y up, z out of its face) are ours, each turned round: a rotation has
    // the same matrix in both, and the same quaternion.
    const auto& q = face->pose.quaternion;
    const auto part = [&q](std::size_t i) { return static_cast<float>(q[i]); };
    add(osc_message("/VMC/Ext/Bone/Pos",
                    {std::string_view("Head"), 0.0f, 0.0f, 0.0f, part(1), part(2), part(3), part(0)}));
    for (std::size_t i = 0; i < face->blendshapes.size(); ++i) {
      const std::string name = capitalised(blendshapes()[i].name);
      add(osc_message("/VMC/Ext/Blend/Val", {std::string_view(name), face->blendshapes[i]}));
    }
    add(osc_message("/VMC/Ext/Blend/Apply", {}));
  }
  datagrams.push_back(bundle.bytes());
  return datagrams;
}

struct LiveSender::Impl {
  std::string url;
  bool osc = false;
  int socket = -1;
  sockaddr_storage to = {};
  socklen_t to_bytes = 0;
  std::string first_problem;
  std::int64_t problems = 0;

  ~Impl() {
    if (socket >= 0) ::close(socket);
  }

  void send(std::string_view bytes) {
    if (bytes.size() > kMostDatagramBytes)
      return complain(
          base::concat("a line of ", bytes.size(), " bytes, a datagram has ", kMostDatagramBytes));
    if (::sendto(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&to), to_bytes) < 0)
      complain(std::strerror(errno));
  }

  void complain(const std::string& what) {
    if (problems++ == 0) first_problem = what;
  }
};

LiveSender::LiveSender(const std::string& url) : impl_(std::make_unique<Impl>()) {
  const Address address = parse(url);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int problem = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found))
    throw Error(ErrorCode::invalid_argument,
                base::concat("--send ", base::printable(url), ": ", ::gai_strerror(problem)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  impl_->url = url;
  impl_->osc = address.osc;
  std::memcpy(&impl_->to, list->ai_addr, list->ai_addrlen);
  impl_->to_bytes = list->ai_addrlen;
  impl_->socket = ::socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (impl_->socket < 0)
    throw Error(ErrorCode::io, base::concat("--send ", base::printable(url), ": ", std::strerror(errno)));
}

LiveSender::~LiveSender() = default;

void LiveSender::send(const FrameFaces& frame, std::string_view json_line) {
  if (!impl_->osc) return impl_->send(json_line);
  for (const std::string& datagram : vmc_datagrams(frame)) impl_->send(datagram);
}

std::vector<std::string> LiveSender::problems() const {
  if (impl_->problems == 0) return {};
  std::string text = base::concat("--send ", base::printable(impl_->url), ": ", impl_->first_problem);
  if (impl_->problems > 1) text += base::concat(" (the first of ", impl_->problems, ")");
  return {text};
}

}  // namespace spiga::media
