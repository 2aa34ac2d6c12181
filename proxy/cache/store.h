// The embedded cache: content by digest, outcomes by action digest, bounded in size, least recently used
// first out. Several daemons may share one; a crash at any point leaves it usable. Every read is verified:
// damaged entries are misses and are removed. Nothing it does can fail a build.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"
#include "base/result.h"
#include "cache/outcome.h"

namespace cache {

class Disk;

struct StoreOptions {
  std::string directory;
  std::int64_t limit_bytes = 0;  // 0: 10 GiB or 10 % of the disk, the smaller
  bool background = true;        // false: nothing happens by itself, only in maintain()
  Disk* disk = nullptr;          // the file system; null: the real one
};

struct StoreStats {
  std::int64_t bytes = 0;
  std::int64_t limit_bytes = 0;
  std::int64_t outcomes = 0;
  std::int64_t blobs = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;
  std::uint64_t damaged = 0;  // entries found bad and removed
  std::uint64_t write_errors = 0;
  std::string last_error;  // in words; empty when the last write worked
};

// Any thread.
class Store {
 public:
  // Opens or makes the store. A folder of an unknown format version is left alone and a new one is used
  // beside it. When the folder cannot be used at all, the store answers every look-up with a miss, keeps
  // nothing, and last_error says why.
  Store(StoreOptions options, base::Clock& clock);
  ~Store();

  // The outcome kept for an action; nothing when there is none or a blob of it is gone.
  std::optional<Outcome> lookup(const base::Digest& action);

  // The bytes of a blob, verified. `transient` when it is not (or no longer) here.
  base::Result<std::string> read(const base::Digest& blob);

  // Keeps the bytes of an open regular file from its start. Returns their digest.
  base::Result<base::Digest> add(int fd);
  base::Result<base::Digest> add(std::string_view bytes);

  // Keeps an outcome whose blobs were added before.
  base::Result<void> keep(const base::Digest& action, const Outcome& outcome);

  // Where a task may put private copies before they are added: on the store's file system, so that reflinks
  // work. Emptied at start.
  std::string scratch_directory() const;

  // Removes everything.
  base::Result<void> clear();

  // Does at once what the background thread does in small steps: counts what is there, evicts down to 90 % of
  // the limit when over it, compresses large blobs that were not used for a day. Blocks.
  void maintain();

  StoreStats stats() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace cache
