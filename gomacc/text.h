// Texts and growing byte buffers without a C++ library behind them. What `join` returns lives until gomacc
// ends.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string_view>

#include "sys.h"

namespace gomacc {

// The parts one after the other, ended by a NUL.
inline const char* join(std::initializer_list<std::string_view> parts) {
  std::size_t size = 1;
  for (std::string_view part : parts) size += part.size();
  char* text = new char[size];
  char* end = text;
  for (std::string_view part : parts) {
    if (!part.empty()) std::memcpy(end, part.data(), part.size());
    end += part.size();
  }
  *end = '\0';
  return text;
}

inline const char* decimal(std::uint64_t value) {
  char digits[20];
  std::size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return join({std::string_view(digits + at, sizeof digits - at)});
}

inline std::string_view base_name(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// The folder that holds `path`; empty when `path` has no slash.
inline std::string_view parent(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash == 0 ? 1 : slash);
}

// Writes all of `text`, whatever kind of descriptor it is. False when nobody can receive it.
inline bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    std::ptrdiff_t written = sys::write(fd, text.data(), text.size());
    if (written == -EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      sys::poll(&room, 1, -1);
      continue;
    }
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

inline void complain(std::initializer_list<std::string_view> parts) {
  write_all(2, join({"gomacc: ", join(parts), "\n"}));
}

// Bytes that grow at the end. Large buffers are mapped on their own, so that growing gives memory back.
class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { release(); }

  char* data() { return data_; }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

  void append(const char* data, std::size_t size) {
    if (size == 0) return;
    reserve(size_ + size);
    std::memcpy(data_ + size_, data, size);
    size_ += size;
  }
  // Room for `more` bytes behind the end; `added` tells how many of them were filled.
  char* room(std::size_t more) {
    reserve(size_ + more);
    return data_ + size_;
  }
  void added(std::size_t more) { size_ += more; }
  void drop_front(std::size_t count) {
    if (count == 0) return;
    size_ -= count;
    std::memmove(data_, data_ + count, size_);
  }

 private:
  static constexpr std::size_t kMapped = 64 << 10;

  void reserve(std::size_t size) {
    if (size <= capacity_) return;
    std::size_t capacity = capacity_ < 2048 ? 4096 : capacity_ * 2;
    while (capacity < size) capacity *= 2;
    auto data = static_cast<char*>(capacity >= kMapped ? sys::map(capacity) : operator new(capacity));
    if (data == nullptr) {
      complain({"out of memory"});
      sys::exit(125);
    }
    if (size_ != 0) std::memcpy(data, data_, size_);
    release();
    data_ = data;
    capacity_ = capacity;
  }
  void release() {
    if (capacity_ >= kMapped) {
      sys::unmap(data_, capacity_);
    } else if (capacity_ != 0) {
      operator delete(data_);
    }
  }

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace gomacc
