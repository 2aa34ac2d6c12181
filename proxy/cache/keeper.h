// The housekeeping of the store: counting what is there, evicting, compressing. All of it happens on one
// thread in small steps with pauses, at the lowest priority, so that no compile waits for it. Several daemons
// may share a folder: only eviction takes a lock file, and it counts anew before it removes anything.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "base/clock.h"
#include "cache/disk.h"
#include "cache/index.h"
#include "cache/layout.h"
#include "cache/writer.h"

namespace cache {

// run() and maintain() on one thread at a time each; wake() and evicted() on any.
class Keeper {
 public:
  struct Parts {
    Disk& disk;
    base::Clock& clock;
    const Layout& layout;
    Index& index;
    Writer& writer;
  };
  Keeper(Parts parts, std::int64_t limit_bytes) : parts_(parts), limit_(limit_bytes) {}

  // The background thread: counts at once, then does what is due until a stop.
  void run(const std::stop_token& stop);

  // Everything due, at once.
  void maintain();

  // Says that something was added. Cheap.
  void wake_if_over();

  std::uint64_t evicted() const { return evicted_; }

 private:
  enum class Pace { patient, at_once };

  void scan(const std::stop_token& stop, Pace pace);
  void evict(const std::stop_token& stop, Pace pace);
  void compress_some(const std::stop_token& stop, Pace pace);
  bool compress_one(const IndexItem& item);
  // Sleeps; false on a stop.
  bool pause(const std::stop_token& stop, base::Nanoseconds time);

  Parts parts_;
  std::int64_t limit_;
  std::atomic<std::uint64_t> evicted_{0};

  std::mutex work_mutex_;  // held while scanning, evicting, compressing; never while pausing for long
  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool over_ = false;  // guarded by mutex_
};

}  // namespace cache
