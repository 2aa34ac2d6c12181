// The seam between the store and the file system: the few operations a crash, a full disk or another daemon
// can come between. tests/fake/faulty_disk.h fails or forgets one of them. Any thread.
//
// Errors: `transient` when a file or directory is not there (ENOENT, ENOTDIR), `io` with the reason
// otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/fd.h"
#include "base/result.h"

namespace cache {

struct Content {
  std::string bytes;
  std::int64_t mtime_ns = 0;
};

struct Listed {
  std::string name;
  bool directory = false;
  std::int64_t size = 0;  // bytes of content
  std::int64_t mtime_ns = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // The whole file and its time stamp.
  virtual base::Result<Content> read(const std::string& path) = 0;
  // The last `count` bytes; fewer when the file is shorter.
  virtual base::Result<std::string> read_end(const std::string& path, std::size_t count) = 0;
  virtual bool exists(const std::string& path) = 0;
  // Regular files and directories; other things are left out.
  virtual base::Result<std::vector<Listed>> list(const std::string& path) = 0;

  // Makes a new read-only file. On an error there is none.
  virtual base::Result<void> create(const std::string& path, std::string_view bytes) = 0;
  // The same with the bytes of an open regular file from its start, shared with it where the file system can.
  // Feeds the bytes that the new file holds to `hasher`. The new file stays open for append().
  virtual base::Result<base::Fd> create_copy(const std::string& path, int from, base::Hasher& hasher) = 0;
  virtual base::Result<void> append(int fd, std::string_view bytes) = 0;
  virtual base::Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual base::Result<void> remove(const std::string& path) = 0;            // a file
  virtual base::Result<void> remove_directory(const std::string& path) = 0;  // an empty one
  // Mode 0700, parents included. No error when it is there.
  virtual base::Result<void> make_directory(const std::string& path) = 0;
  virtual base::Result<void> touch(const std::string& path, std::int64_t mtime_ns) = 0;
};

// The real one. It has no state.
Disk& real_disk();

}  // namespace cache
