#include "frames.h"

namespace gomacc {
namespace {

constexpr int kSendLimitMs = 5000;

}  // namespace

void Connection::open(int fd) {
  close();
  fd_ = fd;
  stalled_ = false;
}

void Connection::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
  input_.drop_front(input_.size());
  consumed_ = 0;
  pending_ = 0;
}

bool Connection::begin(wire::Type type, std::uint32_t size) {
  if (fd_ < 0) return false;
  unsigned char header[wire::kHeaderSize];
  wire::put_header({size, wire::kProtocol, type}, header);
  put(reinterpret_cast<const char*>(header), sizeof header);
  return true;
}

void Connection::put(const char* data, std::size_t size) {
  if (fd_ < 0) return;
  if (pending_ + size > sizeof output_) {
    if (!flush()) return;
    if (size > sizeof output_) {
      push(data, size);
      return;
    }
  }
  std::memcpy(output_ + pending_, data, size);
  pending_ += size;
}

bool Connection::flush() {
  std::size_t size = pending_;
  pending_ = 0;
  return push(output_, size);
}

bool Connection::push(const char* data, std::size_t size) {
  while (fd_ >= 0 && size > 0) {
    std::ptrdiff_t sent = sys::send(fd_, data, size);
    if (sent > 0) {
      data += sent;
      size -= static_cast<std::size_t>(sent);
      continue;
    }
    if (sent != -EAGAIN) return false;
    pollfd room{fd_, POLLOUT, 0};
    if (sys::poll(&room, 1, kSendLimitMs) != 1) {
      close();
      stalled_ = true;
    }
  }
  return fd_ >= 0;
}

Connection::Got Connection::fill() {
  if (fd_ < 0) return stalled_ ? Got::nothing : Got::closed;
  constexpr std::size_t kChunk = 16 << 10;
  std::ptrdiff_t size = sys::receive(fd_, input_.room(kChunk), kChunk);
  if (size == -EAGAIN) return Got::nothing;
  if (size <= 0) {
    close();
    return Got::closed;
  }
  input_.added(static_cast<std::size_t>(size));
  return Got::frame;
}

Connection::Got Connection::take(Frame& frame) {
  if (consumed_ != 0) input_.drop_front(consumed_);
  consumed_ = 0;
  if (input_.size() < wire::kHeaderSize) return Got::nothing;
  wire::Header header = wire::get_header(reinterpret_cast<const unsigned char*>(input_.data()));
  if (header.protocol != wire::kProtocol || header.length > wire::kMaxPayload) {
    close();
    return Got::closed;
  }
  std::size_t size = wire::kHeaderSize + header.length;
  if (input_.size() < size) return Got::nothing;
  frame = {header.type, input_.view().substr(wire::kHeaderSize, header.length)};
  consumed_ = size;
  return Got::frame;
}

Connection::Got Connection::receive_arrived(Frame& frame) {
  for (;;) {
    Got got = take(frame);
    if (got != Got::nothing) return got;
    got = fill();
    if (got != Got::frame) return got;
  }
}

Connection::Got Connection::receive(Frame& frame, std::int64_t deadline, int patience) {
  for (;;) {
    std::size_t before = input_.size() - consumed_;
    Got got = receive_arrived(frame);
    if (got != Got::nothing) return got;
    if (stalled_) return got;
    std::int64_t now = sys::monotonic_ms();
    if (input_.size() > before && now + patience > deadline) deadline = now + patience;
    if (now >= deadline) return Got::nothing;
    pollfd data{fd_, POLLIN, 0};
    sys::poll(&data, 1, static_cast<int>(deadline - now));
  }
}

}  // namespace gomacc
