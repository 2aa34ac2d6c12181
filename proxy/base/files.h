// The seam to the file system for reading: what the scanner and the compiler probes need and no more.
// tests/fake/fake_files.h is the recording fake. Paths are absolute; every function may be called from any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace base {

enum class FileType : std::uint8_t { absent, regular, directory, symlink, other };

// What tells one version of a file from another. Times are nanoseconds since the epoch, by the file system's
// clock. `absent` is a value, not an error: most look-ups of a scan find nothing.
struct FileStat {
  FileType type = FileType::absent;
  std::uint32_t mode = 0;   // permission bits
  std::uint32_t links = 0;  // hard links
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  std::int64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;

  bool operator==(const FileStat&) const = default;
};

struct DirEntry {
  std::string name;
  FileType type;  // `other` where the file system does not say
};

class Files {
 public:
  virtual ~Files() = default;

  // Follows symbolic links. ENOENT and ENOTDIR are `absent`; ELOOP, EACCES, ENAMETOOLONG are `io` errors.
  virtual Result<FileStat> stat(const std::string& path) = 0;
  // Does not follow a symbolic link at the end.
  virtual Result<FileStat> lstat(const std::string& path) = 0;
  virtual Result<std::string> read(const std::string& path) = 0;
  virtual Result<std::string> read_link(const std::string& path) = 0;
  // Without `.` and `..`, in no order.
  virtual Result<std::vector<DirEntry>> list(const std::string& path) = 0;
};

// The real one. It has no state.
Files& real_files();

}  // namespace base
