#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/fd.h"

namespace base {
namespace {

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::regular;
  if (S_ISDIR(mode)) return FileType::directory;
  if (S_ISLNK(mode)) return FileType::symlink;
  return FileType::other;
}

FileType type_of_entry(unsigned char type) {
  switch (type) {
    case DT_REG:
      return FileType::regular;
    case DT_DIR:
      return FileType::directory;
    case DT_LNK:
      return FileType::symlink;
    default:
      return FileType::other;
  }
}

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

Result<FileStat> stat_with(const std::string& path, int flags) {
  struct stat raw;
  if (::fstatat(AT_FDCWD, path.c_str(), &raw, flags) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return FileStat{};
    return io_error("stat " + path, errno);
  }
  FileStat out;
  out.type = type_of(raw.st_mode);
  out.mode = raw.st_mode & 07777;
  out.links = static_cast<std::uint32_t>(raw.st_nlink);
  out.dev = raw.st_dev;
  out.ino = raw.st_ino;
  out.size = raw.st_size;
  out.mtime_ns = nanoseconds(raw.st_mtim);
  out.ctime_ns = nanoseconds(raw.st_ctim);
  return out;
}

class RealFiles : public Files {
 public:
  Result<FileStat> stat(const std::string& path) override { return stat_with(path, 0); }
  Result<FileStat> lstat(const std::string& path) override { return stat_with(path, AT_SYMLINK_NOFOLLOW); }
  Result<std::string> read(const std::string& path) override { return read_file(path); }

  Result<std::string> read_link(const std::string& path) override {
    char target[PATH_MAX];
    ssize_t size = ::readlink(path.c_str(), target, sizeof target);
    if (size < 0) return io_error("readlink " + path, errno);
    return std::string(target, static_cast<std::size_t>(size));
  }

  Result<std::vector<DirEntry>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return io_error("opendir " + path, errno);
    std::vector<DirEntry> entries;
    while (const dirent* entry = ::readdir(directory)) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") entries.push_back({std::move(name), type_of_entry(entry->d_type)});
    }
    ::closedir(directory);
    return entries;
  }
};

}  // namespace

Files& real_files() {
  static RealFiles files;
  return files;
}

}  // namespace base
