// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "serve/http_front.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <list>
#include <map>
#include <utility>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::serve {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using base::concat;
using boost::system::error_code;

constexpr auto kTick = std::chrono::milliseconds(50);
constexpr auto kProgressTime = std::chrono::seconds(2);
constexpr int kBacklog = 1024;
constexpr int kOtherFiles = 64;  // descriptors that are not connections
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kReadsInARow = 16;  // of one connection, before others have their turn

Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// A request's body as bytes. Memory comes with the bytes, not with the length that a client claims.
struct Bytes {
  using value_type = std::vector<std::uint8_t>;
  class reader {
   public:
    template <bool isRequest, class Fields>
    reader(http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      std::size_t all = 0;
      for (auto one = asio::buffer_sequence_begin(buffers); one != asio::buffer_sequence_end(buffers);
           ++one) {
        const asio::const_buffer piece(*one);
        const auto* data = static_cast<const std::uint8_t*>(piece.data());
        body_.insert(body_.end(), data, data + piece.size());
        all += piece.size();
      }
      return all;
    }
    void finish(error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

using Parser = http::request_parser<Bytes>;

std::string text_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool out_of_resources(const error_code& error) {
  return error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
         error == asio::error::no_memory || error.value() == ENFILE;
}

bool of_one_client(const error_code& error) {
  return error == asio::error::connection_aborted || error == asio::error::connection_reset ||
         error == asio::error::interrupted || error.value() == EPROTO || error.value() == EPERM ||
         error == asio::error::try_again || error == asio::error::would_block;
}

// Room for that many connections, as far as the system lets us; how many there can be.
int allow_connections(int wanted) {
  rlimit files = {};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  const rlim_t needed = static_cast<rlim_t>(wanted) + kOtherFiles;
  if (files.rlim_cur < needed) {
    files.rlim_cur = std::min(needed, files.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  const auto possible = static_cast<std::int64_t>(std::min<rlim_t>(files.rlim_cur, 1 << 30)) - kOtherFiles;
  return static_cast<int>(std::clamp<std::int64_t>(possible, 1, wanted));
}

}  // namespace

struct HttpFront::Impl {
  class Connection;
  using Connections = std::list<std::shared_ptr<Connection>>;

  Impl(const HttpLimits& the_limits, HttpHandler the_handler)
      : limits(the_limits),
        handler(std::move(the_handler)),
        most_connections(allow_connections(the_limits.connections)) {}

  void accept();
  void accepted(const error_code& error, tcp::socket socket);
  void add(asio::generic::stream_protocol::socket socket, const std::string& address);
  void remove(Connection& connection);
  void tick();
  void begin_end();
  bool ended() const { return ending && connections.empty() && replies_due == 0; }
  void hold(std::int64_t bytes) { held += bytes; }

  const HttpLimits limits;
  const HttpHandler handler;
  const int most_connections;
  std::atomic<std::int64_t> held = 0;
  std::atomic<std::uint64_t> open = 0, refused = 0, slow = 0;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer timer{io};
  std::function<bool()> stop;
  Connections connections;
  std::map<std::string, int> by_address;
  std::array<char, kReadBytes> read_buffer;  // of whoever reads just now
  int replies_due = 0;                       // requests that the handler has
  bool ending = false;
  bool accept_later = false;
  error_code listening_error;
};

class HttpFront::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& front, asio::generic::stream_protocol::socket socket, std::string address)
      : front_(front), socket_(std::move(socket)), address_(std::move(address)) {}
  ~Connection() { front_.hold(-held_); }

  void start() {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    wait_for_request();
    wait_for_bytes();
  }
  const std::string& address() const { return address_; }
  Connections::iterator place;  // in the front's list

  // Time has passed.
  void check(Clock::time_point now) {
    if (state_ == State::body && now - progress_since_ >= kProgressTime) {
      const double seconds = std::chrono::duration<double>(now - progress_since_).count();
      if (static_cast<double>(progress_) < seconds * front_.limits.bytes_per_second)
        return too_slow(
            concat("the body came slower than ", front_.limits.bytes_per_second, " bytes a second"));
      progress_since_ = now;
      progress_ = 0;
    }
    if (now < deadline_) return;
    switch (state_) {
      case State::idle:
      case State::answer:
      case State::discard:
        return close();
      case State::header:
      case State::body:
        return too_slow("the request took too long to arrive");
      case State::handled:
      case State::closed:
        return;  // the handler knows the deadline
    }
  }

  // No more requests after the one under way.
  void end() {
    last_ = true;
    if (state_ == State::idle || state_ == State::discard) close();
  }

 private:
  enum class State {
    idle,     // nothing of a request is here
    header,   // a part of it is
    body,     // the header is
    handled,  // all is; an answer is awaited
    answer,   // which is being sent
    discard,  // the connection ends; what still comes is thrown away
    closed
  };

  void wait_for_request() {
    state_ = State::idle;
    deadline_ = Clock::now() + duration_of(front_.limits.idle_seconds);
    request_ = {};
    request_.client = address_;
    keep_alive_ = true;
    head_only_ = false;
    parser_.reset();
    hold(0);
  }

  // Bytes that this connection accounts for.
  void hold(std::size_t bytes) {
    front_.hold(static_cast<std::int64_t>(bytes) - held_);
    held_ = static_cast<std::int64_t>(bytes);
  }

  void wait_for_bytes() {
    if (waiting_ || state_ == State::closed) return;
    waiting_ = true;
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](const error_code& error) {
      self->waiting_ = false;
      if (self->state_ == State::closed) return;
      if (error) return self->close();
      try {
        self->read();
      } catch (const std::bad_alloc&) {  // ends this one, not all
        self->close();
      }
    });
  }

  bool wants_bytes() const {
    return state_ == State::idle || state_ == State::header || state_ == State::body ||
           state_ == State::discard;
  }

  void read() {
    for (int i = 0; i < kReadsInARow && wants_bytes(); ++i) {
      error_code error;
      const std::size_t size = socket_.read_some(asio::buffer(front_.read_buffer), error);
      if (error == asio::error::would_block || error == asio::error::try_again) break;
      if (error) return lost(error);
      if (state_ == State::discard) continue;
      pending_.append(front_.read_buffer.data(), size);
      parse();
    }
    if (wants_bytes()) wait_for_bytes();
  }

  void lost(const error_code& error) {
    const bool cut_short = error == asio::error::eof && (state_ == State::header || state_ == State::body);
    if (!cut_short) return close();
    // The client may have closed its own side only.
    refuse(problem(400, "the request is cut short"));
  }

  void parse() {
    while (!pending_.empty() && (state_ == State::idle || state_ == State::header || state_ == State::body)) {
      if (state_ == State::idle) begin_request();
      error_code error;
      const std::size_t used = parser_->put(asio::buffer(pending_), error);
      pending_.erase(0, used);
      if (error == http::error::need_more) break;
      if (error) return refuse_malformed(error);
      if (state_ == State::header && parser_->is_header_done() && !take_header()) return;
      if (state_ == State::body && !take_body(used)) return;
      if (used == 0) break;
    }
    // Of a body, that is a chunk's header or a trailer.
    const bool partial = state_ == State::header || state_ == State::body;
    if (partial && pending_.size() > static_cast<std::size_t>(front_.limits.header_bytes))
      refuse(problem(431, concat("a header of more than ", front_.limits.header_bytes, " bytes")));
  }

  void begin_request() {
    state_ = State::header;
    request_.begun = Clock::now();
    request_.deadline = request_.begun + duration_of(front_.limits.seconds);
    deadline_ = request_.begun + duration_of(std::min(front_.limits.header_seconds, front_.limits.seconds));
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(front_.limits.header_bytes));
    parser_->body_limit(static_cast<std::uint64_t>(front_.limits.body_bytes));
  }

  void refuse_malformed(const error_code& error) {
    if (error == http::error::header_limit)
      return refuse(problem(431, concat("a header of more than ", front_.limits.header_bytes, " bytes")));
    // The header is good, so that its path can be noted.
    if (error == http::error::body_limit) {
      if (state_ == State::header) name_request();
      return refuse(problem(413, concat("more than ", front_.limits.body_bytes, " bytes")));
    }
    if (error == http::error::bad_version) return refuse(problem(505, "HTTP/1.0 and HTTP/1.1 are known"));
    if (state_ == State::body) return refuse(problem(400, "the request's body is cut short or malformed"));
    refuse(problem(400, "this request makes no sense"));
  }

  void name_request() {
    const auto& message = parser_->get();
    request_.method = text_of(message.method_string());
    const std::string target = text_of(message.target());
    const std::size_t query = target.find('?');
    request_.path = target.substr(0, query);
    if (query != std::string::npos) request_.query = target.substr(query + 1);
    request_.authorization = text_of(message[http::field::authorization]);
    request_.content_type = text_of(message[http::field::content_type]);
    request_.has_body =
        parser_->is_header_done() && (parser_->chunked() || parser_->content_length().value_or(0) > 0);
    keep_alive_ = message.keep_alive();
    head_only_ = message.method() == http::verb::head;
  }

  // False: an answer is under way already.
  bool take_header() {
    name_request();
    const auto& message = parser_->get();
    if (message.version() == 11 && message.count(http::field::host) != 1) {
      refuse(problem(400, "expected one Host header"));
      return false;
    }
    if (std::optional<HttpResponse> refusal = front_.handler.admit(request_)) {
      if (request_.has_body)
        refuse(std::move(*refusal));
      else
        respond(std::move(*refusal));
      return false;
    }
    const std::string expected = text_of(message[http::field::expect]);
    if (!expected.empty() && !boost::beast::iequals(expected, "100-continue")) {
      refuse(problem(417, "expected 100-continue or nothing"));
      return false;
    }
    state_ = State::body;
    deadline_ = request_.deadline;
    progress_since_ = Clock::now();
    progress_ = 0;
    if (!expected.empty() && request_.has_body && pending_.empty()) say_continue();
    return true;
  }

  // A dozen bytes into an empty socket: they fit, or the client has gone.
  void say_continue() {
    error_code ignored;
    socket_.write_some(asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25), ignored);
  }

  bool take_body(std::size_t bytes) {
    progress_ += bytes;
    hold(parser_->get().body().size());
    if (front_.held > front_.limits.held_bytes) {
      HttpResponse response = problem(503, "too many bytes of other requests are held");
      response.headers.emplace_back("Retry-After", "1");
      refuse(std::move(response));
      return false;
    }
    if (!parser_->is_done()) return true;
    state_ = State::handled;
    request_.body = std::move(parser_->get().body());
    hand_over();
    return false;
  }

  void hand_over() {
    ++front_.replies_due;
    HttpRequest whole = std::move(request_);
    request_ = {};
    request_.method = whole.method;
    request_.path = whole.path;
    request_.client = address_;
    request_.begun = whole.begun;
    // The front outlives what is due to it, as `run` waits for that.
    auto replied = std::make_shared<std::atomic<bool>>(false);
    front_.handler.handle(std::move(whole), [self = shared_from_this(), replied](HttpResponse response) {
      if (replied->exchange(true)) return;
      asio::post(self->front_.io, [self, response = std::move(response)]() mutable {
        --self->front_.replies_due;
        if (self->state_ == State::handled) self->respond(std::move(response));
      });
    });
  }

  void too_slow(const std::string& what) {
    ++front_.slow;
    refuse(problem(408, what));
  }

  // An answer before all of the request is here: nothing after it can be understood.
  void refuse(HttpResponse response) {
    response.close = true;
    respond(std::move(response));
  }

  void respond(HttpResponse response) {
    state_ = State::answer;
    status_ = response.status;
    closing_ = response.close || !keep_alive_ || last_;
    deadline_ = Clock::now() + duration_of(front_.limits.seconds);
    out_ = concat("HTTP/1.1 ", response.status, " ", reason_of(response.status),
                  "\r\nContent-Type: ", response.type, "\r\nContent-Length: ", response.body.size(),
                  "\r\nX-Content-Type-Options: nosniff\r\n");
    for (const auto& [name, value] : response.headers) out_ += concat(name, ": ", value, "\r\n");
    out_ += closing_ ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
    bytes_ = response.body.size();
    if (!head_only_) out_ += response.body;
    parser_.reset();
    hold(out_.size());
    asio::async_write(
        socket_, asio::buffer(out_),
        [self = shared_from_this()](const error_code& error, std::size_t) { self->sent(error); });
  }

  void sent(const error_code& error) {
    out_ = {};
    front_.handler.note(request_, status_, bytes_,
                        request_.begun == Clock::time_point()
                            ? 0
                            : std::chrono::duration<double>(Clock::now() - request_.begun).count());
    if (state_ == State::closed) return;
    if (error) return close();
    if (closing_ || last_) return discard();
    wait_for_request();
    if (!pending_.empty()) parse();
    if (wants_bytes()) wait_for_bytes();
  }

  // Closing while bytes are on their way would take the answer back from a client that has not read it yet.
  void discard() {
    hold(0);
    pending_ = {};
    state_ = State::discard;
    deadline_ = Clock::now() + duration_of(front_.limits.seconds);
    error_code error;
    const int done = ::shutdown(socket_.native_handle(), SHUT_WR);
    if (done != 0 || front_.ending) return close();
    wait_for_bytes();
  }

  void close() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    error_code ignored;
    socket_.close(ignored);
    hold(0);
    front_.remove(*this);
  }

  Impl& front_;
  asio::generic::stream_protocol::socket socket_;
  const std::string address_;
  State state_ = State::idle;
  Clock::time_point deadline_;
  Clock::time_point progress_since_;
  std::size_t progress_ = 0;  // bytes of the body since then
  std::int64_t held_ = 0;
  std::optional<Parser> parser_;
  std::string pending_;  // read, not yet understood
  HttpRequest request_;
  bool keep_alive_ = true, head_only_ = false, last_ = false, closing_ = false, waiting_ = false;
  int status_ = 0;
  std::size_t bytes_ = 0;  // of the answer's body
  std::string out_;
};

void HttpFront::Impl::accept() {
  accept_later = false;
  acceptor.async_accept(
      [this](const error_code& error, tcp::socket socket) { accepted(error, std::move(socket)); });
}

void HttpFront::Impl::accepted(const error_code& error, tcp::socket socket) {
  if (ending) return;
  if (error && !of_one_client(error)) {
    if (out_of_resources(error)) {
      accept_later = true;  // some come back with time
    } else {
      listening_error = error;
      begin_end();
    }
    return;
  }
  if (!error) {
    error_code failed;
    const tcp::endpoint client = socket.remote_endpoint(failed);
    socket.set_option(tcp::no_delay(true), failed);
    if (!failed) add(std::move(socket), client.address().to_string());
  }
  accept();
}

void HttpFront::Impl::add(asio::generic::stream_protocol::socket socket, const std::string& address) {
  const bool full = static_cast<int>(connections.size()) >= most_connections;
  int& of_address = by_address[address];
  if (full || (limits.per_address > 0 && of_address >= limits.per_address)) {
    if (of_address == 0) by_address.erase(address);
    ++refused;
    return;  // closes it
  }
  ++of_address;
  ++open;
  connections.push_back(std::make_shared<Connection>(*this, std::move(socket), address));
  connections.back()->place = std::prev(connections.end());
  const std::shared_ptr<Connection> started = connections.back();
  started->start();
}

void HttpFront::Impl::remove(Connection& connection) {
  --open;
  const auto of_address = by_address.find(connection.address());
  if (--of_address->second == 0) by_address.erase(of_address);
  // Others may be in the middle of it.
  asio::post(io, [this, place = connection.place] { connections.erase(place); });
}

void HttpFront::Impl::tick() {
  const Clock::time_point now = Clock::now();
  for (auto& connection : connections) connection->check(now);
  handler.tick(now);
  if (!ending && stop()) begin_end();
  if (accept_later && !ending) accept();
  if (ended()) return io.stop();
  timer.expires_after(kTick);
  timer.async_wait([this](const error_code&) { tick(); });
}

void HttpFront::Impl::begin_end() {
  if (ending) return;
  ending = true;
  error_code ignored;
  acceptor.close(ignored);
  for (auto& connection : connections) connection->end();
}

HttpFront::HttpFront(const HttpLimits& limits, HttpHandler handler)
    : impl_(std::make_unique<Impl>(limits, std::move(handler))) {}

HttpFront::~HttpFront() = default;

int HttpFront::bind(const std::string& host, int port) {
  const auto check = [&](const error_code& error) {
    if (error)
      throw Error(ErrorCode::io, concat(host, ":", port, ": cannot listen there: ", error.message()));
  };
  error_code error;
  tcp::resolver resolver(impl_->io);
  const auto places = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  check(error);
  const tcp::endpoint place = places.begin()->endpoint();
  tcp::acceptor& acceptor = impl_->acceptor;
  acceptor.open(place.protocol(), error);
  check(error);
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  acceptor.bind(place, error);
  check(error);
  acceptor.listen(kBacklog, error);
  check(error);
  return acceptor.local_endpoint().port();
}

void HttpFront::run(const std::function<bool()>& stop) {
  Impl& impl = *impl_;
  impl.stop = stop;
  if (impl.acceptor.is_open()) impl.accept();
  impl.tick();
  impl.io.run();
  if (impl.listening_error)
    throw Error(ErrorCode::io, concat("the listening socket failed: ", impl.listening_error.message()));
}

void HttpFront::adopt(int socket) {
  asio::post(impl_->io, [impl = impl_.get(), socket] {
    asio::generic::stream_protocol::socket taken(impl->io);
    error_code error;
    taken.assign(asio::generic::stream_protocol(AF_UNIX, 0), socket, error);
    if (!error) impl->add(std::move(taken), "adopted");
  });
}

HttpCounts HttpFront::counts() const {
  return {.connections = impl_->open,
          .held_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, impl_->held)),
          .refused_connections = impl_->refused,
          .slow_clients = impl_->slow};
}

}  // namespace spiga::serve
