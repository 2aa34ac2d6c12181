#include "fake/raw_http2.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <optional>

namespace fake {
namespace {

constexpr std::uint8_t kData = 0;
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kReset = 3;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kPing = 6;
constexpr std::uint8_t kGoaway = 7;

constexpr std::uint8_t kEndStream = 1;
constexpr std::uint8_t kAck = 1;
constexpr std::uint8_t kEndHeaders = 4;

constexpr std::size_t kPreface = 24;

std::string big_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

std::uint32_t value_of(const std::string& bytes, std::size_t at, std::size_t count) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < count; ++i) out = out << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return out;
}

std::optional<std::string> read_exactly(int socket, std::size_t count) {
  std::string out(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    ssize_t bytes = ::recv(socket, out.data() + got, count - got, 0);
    if (bytes <= 0) return std::nullopt;
    got += static_cast<std::size_t>(bytes);
  }
  return out;
}

// A literal without indexing. Requires: shorter than 127 bytes.
std::string literal(const std::string& text) {
  return big_endian(static_cast<std::uint32_t>(text.size()), 1) + text;
}

}  // namespace

void RawPeer::frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, const std::string& payload) {
  std::string bytes = big_endian(static_cast<std::uint32_t>(payload.size()), 3);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  bytes += big_endian(stream, 4) + payload;
  // A client that went away shows when the next frame is read.
  (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void RawPeer::headers(std::uint32_t stream, const Fields& fields, bool last) {
  std::string block;
  for (const auto& [name, value] : fields) block += std::string(1, '\0') + literal(name) + literal(value);
  frame(kHeaders, static_cast<std::uint8_t>(kEndHeaders | (last ? kEndStream : 0)), stream, block);
}

void RawPeer::data(std::uint32_t stream, const std::string& bytes, bool last) {
  frame(kData, last ? kEndStream : 0, stream, bytes);
}

void RawPeer::reset(std::uint32_t stream, std::uint32_t code) {
  frame(kReset, 0, stream, big_endian(code, 4));
}

void RawPeer::goaway(std::uint32_t last_stream, std::uint32_t code, const std::string& debug) {
  frame(kGoaway, 0, 0, big_endian(last_stream, 4) + big_endian(code, 4) + debug);
}

void RawPeer::answer(std::uint32_t stream) {
  headers(stream, {{":status", "200"}, {"content-type", "application/grpc"}}, false);
  data(stream, std::string(5, '\0'), false);
  headers(stream, {{"grpc-status", "0"}}, true);
}

RawHttp2::RawHttp2(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0) return;
  ::getsockname(listener_.get(), generic, &size);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

RawHttp2::~RawHttp2() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  if (accepting_.joinable()) accepting_.join();
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    for (const base::Fd& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

int RawHttp2::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

int RawHttp2::connections() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(sockets_.size());
}

void RawHttp2::accept_all() {
  while (true) {
    base::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    int at_once = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    std::lock_guard lock(mutex_);
    int raw = socket.get();
    sockets_.push_back(std::move(socket));
    threads_.emplace_back([this, raw, count = static_cast<int>(sockets_.size())] { serve(raw, count); });
  }
}

void RawHttp2::serve(int socket, int count) {
  RawPeer peer(socket, count);
  if (!read_exactly(socket, kPreface)) return;
  peer.frame(kSettings, 0, 0, {});
  while (!peer.hung_up) {
    auto head = read_exactly(socket, 9);
    if (!head) break;
    auto type = static_cast<std::uint8_t>((*head)[3]);
    auto flags = static_cast<std::uint8_t>((*head)[4]);
    std::uint32_t stream = value_of(*head, 5, 4);
    auto payload = read_exactly(socket, value_of(*head, 0, 3));
    if (!payload) break;
    if (type == kSettings && (flags & kAck) == 0) peer.frame(kSettings, kAck, 0, {});
    if (type == kPing && (flags & kAck) == 0) peer.frame(kPing, kAck, 0, *payload);
    if ((type == kHeaders || type == kData) && (flags & kEndStream) != 0) {
      {
        std::lock_guard lock(mutex_);
        ++requests_;
      }
      ++peer.requests;
      script_(peer, stream);
    }
  }
  ::shutdown(socket, SHUT_RDWR);
}

}  // namespace fake
