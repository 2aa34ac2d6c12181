// How anything gets into the folder: whole, under a temporary name first, then by rename. Keeps the store's
// temper when the disk is full or read-only: after a failure nothing is tried for a while, and the reason is
// kept for people to read. Never calls fsync: a crash may lose or tear entries, which are checked when read.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/result.h"
#include "cache/disk.h"
#include "cache/layout.h"

namespace cache {

// Any thread. `disk`, `clock` and `layout` outlive it.
class Writer {
 public:
  Writer(Disk& disk, base::Clock& clock, const Layout& layout)
      : disk_(disk), clock_(clock), layout_(layout) {}

  // Makes this daemon's scratch directory, having removed those of daemons that are gone.
  void open_scratch();
  // Removes it.
  void close_scratch();
  const std::string& scratch_directory() const { return scratch_; }

  // Puts a whole file in place of whatever is there.
  base::Result<void> put(const std::string& path, std::string_view file);

  // Replaces a file by another form of the same content, which readers never miss, keeping its time stamp.
  base::Result<void> replace(const std::string& path, std::string_view file, std::int64_t mtime_ns);

  // Copies an open file in as a blob; `exists` says whether its content is here already (then nothing is
  // kept).
  base::Result<base::Digest> put_copy(int from, const std::function<bool(const base::Digest&)>& exists);

  // Stops all writing with a reason that does not pass (a foreign folder).
  void refuse(std::string reason);

  // What went wrong with the last write, in words; empty when it worked.
  std::string last_error() const;
  std::uint64_t errors() const { return errors_; }

 private:
  base::Result<void> ready();
  base::Error failed(base::Error error);
  void worked();
  std::string temporary();
  // Runs `attempt`; when a directory was missing, makes those of `path` and runs it once more.
  base::Result<void> with_directories(const std::string& path,
                                      const std::function<base::Result<void>()>& attempt);

  Disk& disk_;
  base::Clock& clock_;
  const Layout& layout_;
  std::string scratch_;  // constant after open_scratch()
  base::Fd scratch_lock_;
  std::atomic<std::uint64_t> counter_{0};
  std::atomic<std::uint64_t> errors_{0};

  mutable std::mutex mutex_;
  std::string last_error_;            // guarded by mutex_
  bool refused_ = false;              // guarded by mutex_
  base::Nanoseconds quiet_until_{0};  // guarded by mutex_
};

// Removes a directory with everything in it, as far as possible.
void remove_tree(Disk& disk, const std::string& path);

}  // namespace cache
