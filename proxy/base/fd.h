// Owned file descriptors and whole-file reads and writes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace base {

// Closes its descriptor when it ends. Movable; -1 means none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Opens with O_CLOEXEC added, again after EINTR. The error names the path.
Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0);

// All bytes from the present position to the end. More than `limit` bytes: `invalid`.
Result<std::string> read_all(int fd, std::size_t limit = std::size_t{1} << 32);

// The whole file. Directories and files over `limit` are errors.
Result<std::string> read_file(const std::string& path, std::size_t limit = std::size_t{1} << 32);

// Writes every byte, again after EINTR and short writes. A full disk is an `io` error.
Result<void> write_all(int fd, std::string_view bytes);

// Makes `path` hold `bytes`, whole or not at all: a temporary beside it, then rename. `mode` before umask.
Result<void> write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode = 0644);

// Makes a folder, mode 0700, and those above it. One that is there already is left as it is.
void make_folders(const std::string& path);

}  // namespace base
