#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace base {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Fd> open_file(const std::string& path, int flags, unsigned mode) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return io_error("open " + path, errno);
  return Fd(fd);
}

Result<std::string> read_all(int fd, std::size_t limit) {
  struct stat status;
  std::string bytes;
  std::size_t chunk = 64 * 1024;
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    if (static_cast<std::uint64_t>(status.st_size) > limit) return invalid("file too large");
    // One byte more than the size lets the read that fills the buffer also see the end.
    chunk = static_cast<std::size_t>(status.st_size) + 1;
  }
  std::size_t used = 0;
  while (true) {
    if (bytes.size() == used) bytes.resize(used + std::max<std::size_t>(chunk, 4096));
    ssize_t got = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > limit) return invalid("file too large");
    chunk = 64 * 1024;
  }
  bytes.resize(used);
  return bytes;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  Result<Fd> fd = open_file(path, O_RDONLY);
  if (!fd) return fd.error();
  Result<std::string> bytes = read_all(fd->get(), limit);
  if (!bytes) return Error{bytes.error().kind, path + ": " + bytes.error().message};
  return bytes;
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode) {
  static std::atomic<unsigned> counter{0};
  std::string temporary = path + "." + std::to_string(::getpid()) + "." + std::to_string(counter++) + ".tmp";
  Result<Fd> fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (!fd) return fd.error();
  Result<void> written = write_all(fd->get(), bytes);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = io_error("rename to " + path, errno);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    ::mkdir(path.substr(0, slash).c_str(), 0700);
  }
  ::mkdir(path.c_str(), 0700);
}

}  // namespace base
