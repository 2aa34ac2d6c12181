#include "cache/disk.h"

#include <dirent.h>
#include <fcntl.h>
#ifdef __linux__
#include <linux/fs.h>
#endif
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace cache {
namespace {

// Larger than a compiler's outputs ever are; a damaged size must not make us allocate without bound.
constexpr std::size_t kLargestFile = std::size_t{1} << 32;
constexpr std::size_t kChunk = 256 * 1024;
constexpr unsigned kFileMode = 0444;
constexpr unsigned kDirectoryMode = 0700;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

base::Error error_of(const std::string& what, int code) {
  base::Error error = base::io_error(what, code);
  if (code == ENOENT || code == ENOTDIR) error.kind = base::ErrorKind::transient;
  return error;
}

base::Result<base::Fd> open_path(const std::string& path, int flags, unsigned mode = 0) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return error_of("open " + path, errno);
  return base::Fd(fd);
}

// Reads up to `size` bytes at `offset`; fewer only at the end of the file.
ssize_t read_at(int fd, char* data, std::size_t size, off_t offset) {
  std::size_t used = 0;
  while (used < size) {
    ssize_t got = ::pread(fd, data + used, size - used, offset + static_cast<off_t>(used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(used);
}

bool share_blocks(int from, int to) {
#ifdef FICLONE
  return ::ioctl(to, FICLONE, from) == 0;
#else
  (void)from, (void)to;
  return false;
#endif
}

// Hashes `from` to its end, and writes what was hashed to `to` unless that is negative.
base::Result<void> hash_and_copy(int from, int to, base::Hasher& hasher) {
  std::unique_ptr<char[]> buffer(new char[kChunk]);
  for (off_t offset = 0;;) {
    ssize_t got = read_at(from, buffer.get(), kChunk, offset);
    if (got < 0) return base::io_error("read", errno);
    if (got == 0) return {};
    std::string_view bytes(buffer.get(), static_cast<std::size_t>(got));
    hasher.update(bytes);
    if (to >= 0) {
      base::Result<void> written = base::write_all(to, bytes);
      if (!written) return written;
    }
    offset += got;
    if (static_cast<std::uint64_t>(offset) > kLargestFile) return base::io_error("copy", EFBIG);
  }
}

class RealDisk : public Disk {
 public:
  base::Result<Content> read(const std::string& path) override {
    base::Result<base::Fd> fd = open_path(path, O_RDONLY | O_NOFOLLOW);
    if (!fd) return fd.error();
    struct stat status;
    if (::fstat(fd->get(), &status) != 0) return base::io_error("stat " + path, errno);
    if (!S_ISREG(status.st_mode)) return base::invalid(path + " is not a regular file");
    if (static_cast<std::uint64_t>(status.st_size) > kLargestFile)
      return base::invalid(path + " is too large");
    Content content;
    content.mtime_ns = nanoseconds(status.st_mtim);
    content.bytes.resize(static_cast<std::size_t>(status.st_size));
    ssize_t got = read_at(fd->get(), content.bytes.data(), content.bytes.size(), 0);
    if (got < 0) return base::io_error("read " + path, errno);
    content.bytes.resize(static_cast<std::size_t>(got));
    return content;
  }

  base::Result<std::string> read_end(const std::string& path, std::size_t count) override {
    base::Result<base::Fd> fd = open_path(path, O_RDONLY | O_NOFOLLOW);
    if (!fd) return fd.error();
    off_t size = ::lseek(fd->get(), 0, SEEK_END);
    if (size < 0) return base::io_error("seek " + path, errno);
    std::string bytes(std::min(count, static_cast<std::size_t>(size)), '\0');
    ssize_t got = read_at(fd->get(), bytes.data(), bytes.size(), size - static_cast<off_t>(bytes.size()));
    if (got < 0) return base::io_error("read " + path, errno);
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  base::Result<std::vector<Listed>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return error_of("list " + path, errno);
    std::vector<Listed> entries;
    while (const dirent* entry = ::readdir(directory)) {
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
      struct stat status;
      if (::fstatat(::dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
      entries.push_back(
          {entry->d_name, S_ISDIR(status.st_mode), status.st_size, nanoseconds(status.st_mtim)});
    }
    ::closedir(directory);
    return entries;
  }

  base::Result<void> create(const std::string& path, std::string_view bytes) override {
    base::Result<base::Fd> fd = open_path(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode);
    if (!fd) return fd.error();
    base::Result<void> written = base::write_all(fd->get(), bytes);
    if (!written) ::unlink(path.c_str());
    return written;
  }

  base::Result<base::Fd> create_copy(const std::string& path, int from, base::Hasher& hasher) override {
    base::Result<base::Fd> to = open_path(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode);
    if (!to) return to.error();
    // Where blocks cannot be shared, one loop reads, hashes and writes: the bytes are touched once. In both
    // cases what is hashed is what the new file holds, whatever happens to the original meanwhile.
    bool shared = share_blocks(from, to->get());
    base::Result<void> copied =
        shared ? hash_and_copy(to->get(), -1, hasher) : hash_and_copy(from, to->get(), hasher);
    if (copied && ::lseek(to->get(), 0, SEEK_END) < 0) copied = base::io_error("seek " + path, errno);
    if (copied) return to;
    ::unlink(path.c_str());
    return copied.error();
  }

  base::Result<void> append(int fd, std::string_view bytes) override { return base::write_all(fd, bytes); }

  base::Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return error_of("rename to " + to, errno);
    return {};
  }

  base::Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return error_of("remove " + path, errno);
    return {};
  }

  base::Result<void> remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return error_of("remove " + path, errno);
    return {};
  }

  base::Result<void> make_directory(const std::string& path) override {
    if (path.empty()) return base::invalid("an empty path");
    for (std::size_t end = 1; end <= path.size(); ++end) {
      if (end != path.size() && path[end] != '/') continue;
      std::string prefix = path.substr(0, end);
      if (::mkdir(prefix.c_str(), kDirectoryMode) == 0 || errno == EEXIST) continue;
      int code = errno;
      struct stat status;
      // A read-only or foreign parent refuses even what exists already.
      if (::stat(prefix.c_str(), &status) != 0) return base::io_error("mkdir " + prefix, code);
    }
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) return base::io_error("mkdir " + path, errno);
    if (!S_ISDIR(status.st_mode)) return base::io_error("mkdir " + path, ENOTDIR);
    return {};
  }

  base::Result<void> touch(const std::string& path, std::int64_t mtime_ns) override {
    timespec times[2] = {};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = static_cast<time_t>(mtime_ns / 1'000'000'000);
    times[1].tv_nsec = static_cast<long>(mtime_ns % 1'000'000'000);
    if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return error_of("touch " + path, errno);
    }
    return {};
  }
};

}  // namespace

Disk& real_disk() {
  static RealDisk disk;
  return disk;
}

}  // namespace cache
