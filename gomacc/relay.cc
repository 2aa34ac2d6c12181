#include "relay.h"

namespace gomacc {
namespace {

// A pipe that reports room takes this much without blocking.
constexpr std::size_t kPipeRoom = 4096;
constexpr std::size_t kChunk = 16 << 10;

}  // namespace

Relay::Relay(int from, int to, bool strip, std::string_view seen)
    : from_(from), to_(to), strip_(strip), seen_(seen) {
  sys::FileInfo info{};
  whole_writes_ = sys::fstat(to, &info) == 0 && S_ISREG(info.mode);
}

void Relay::close() {
  if (from_ >= 0) sys::close(from_);
  from_ = -1;
}

pollfd Relay::interest() const {
  if (pending_size() > 0) return {to_, POLLOUT, 0};
  return {from_, POLLIN, 0};
}

void Relay::proceed(std::size_t& room) {
  if (pending_size() > 0) {
    write(whole_writes_ ? pending_size() : kPipeRoom);
  } else if (from_ >= 0) {
    read(room);
    if (whole_writes_) write(pending_size());
  }
}

void Relay::read(std::size_t& room) {
  char chunk[kChunk];
  std::ptrdiff_t size = sys::read(from_, chunk, sizeof chunk);
  if (size == -EAGAIN) return;
  if (size <= 0) {
    close();
    stripper_.finish(pending_);
    return;
  }
  std::string_view piece(chunk, static_cast<std::size_t>(size));
  if (piece.size() > room) truncated_ = true;
  if (!truncated_) {
    kept_.append(piece.data(), piece.size());
    room -= piece.size();
  }
  while (!seen_.empty() && !piece.empty() && piece.front() == seen_.front()) {
    piece.remove_prefix(1);
    seen_.remove_prefix(1);
  }
  if (!piece.empty()) seen_ = {};
  if (strip_) {
    stripper_.feed(piece, pending_);
  } else {
    pending_.append(piece.data(), piece.size());
  }
}

void Relay::write(std::size_t most) {
  std::size_t size = pending_size() < most ? pending_size() : most;
  if (size == 0) return;
  std::ptrdiff_t written = sys::write(to_, pending_.data() + written_, size);
  if (written == -EAGAIN) return;
  if (written < 0) {
    // The compiler is to meet the missing reader itself, as it would without us.
    lost_reader_ = written == -EPIPE;
    truncated_ = true;
    pending_.drop_front(pending_.size());
    written_ = 0;
    if (lost_reader_) close();
    return;
  }
  written_ += static_cast<std::size_t>(written);
  if (pending_size() == 0) {
    pending_.drop_front(written_);
    written_ = 0;
  }
}

void Relay::finish() {
  close();
  stripper_.finish(pending_);
  while (pending_size() > 0) {
    pollfd room{to_, POLLOUT, 0};
    sys::poll(&room, 1, -1);
    write(kPipeRoom);
  }
}

}  // namespace gomacc
