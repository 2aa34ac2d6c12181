// What the store believes to hold: size and last use of each entry, in memory. It never decides whether an
// entry exists (the file does); it decides what is evicted and when an entry is worth a new time stamp. Other
// daemons change the folder too, so each shard is now and then made equal to a listing of its directory.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "cache/disk.h"
#include "cache/entry_file.h"
#include "cache/layout.h"

namespace cache {

struct IndexTotals {
  std::int64_t bytes = 0;
  std::int64_t outcomes = 0;
  std::int64_t blobs = 0;
};

struct IndexItem {
  EntryKind kind;
  Hash hash;
  std::int64_t bytes = 0;        // on disk
  std::int64_t last_use_ns = 0;  // since the epoch
};

// Any thread.
class Index {
 public:
  // What a file of this size takes on disk: whole blocks of 4 KiB.
  static std::int64_t disk_bytes(std::int64_t size);

  void put(EntryKind kind, const Hash& hash, std::int64_t size, std::int64_t last_use_ns);
  void remove(EntryKind kind, const Hash& hash);

  // Notes a use. `file_mtime_ns` is the file's stamp, for an entry not known yet (`size` then counts too).
  // True when the file's own stamp is an hour or more behind and should be set.
  bool use(EntryKind kind, const Hash& hash, std::int64_t now_ns, std::int64_t size,
           std::int64_t file_mtime_ns);

  // Makes one shard equal to a listing. Call begin_listing() before the directory is read: what was put since
  // is kept, listed or not.
  std::uint64_t begin_listing();
  void set_shard(EntryKind kind, int shard, const std::vector<Listed>& listing, std::int64_t now_ns,
                 std::uint64_t begun);

  // Raw blobs of at least `size` bytes not used since `before_ns` and not asked for before: candidates for
  // compression. At most `count`.
  std::vector<IndexItem> take_old_blobs(std::int64_t size, std::int64_t before_ns, std::size_t count);

  // The least recently used entries whose removal brings the total to `target` or below, oldest first;
  // of equal age outcomes before blobs, since a blob without an outcome harms nobody.
  std::vector<IndexItem> oldest_beyond(std::int64_t target) const;

  IndexTotals totals() const;
  void clear();

 private:
  struct Entry {
    std::int64_t bytes = 0;
    std::int64_t last_use_ns = 0;
    std::int64_t stamped_ns = 0;  // the file's time stamp as far as known
    std::uint64_t put_at = 0;     // serial number of the put
    bool taken = false;           // was a candidate for compression
  };
  struct HashOfHash {
    std::size_t operator()(const Hash& hash) const {
      std::size_t first;
      std::memcpy(&first, hash.data() + 8, sizeof first);
      return first;
    }
  };
  using Shard = std::unordered_map<Hash, Entry, HashOfHash>;

  Shard& shard_of(EntryKind kind, int shard);
  void count(EntryKind kind, std::int64_t bytes, int entries);  // Requires: mutex_ held.

  mutable std::mutex mutex_;
  std::array<std::array<Shard, kShards>, 2> shards_;  // guarded by mutex_
  IndexTotals totals_;                                // guarded by mutex_
  std::uint64_t serial_ = 0;                          // guarded by mutex_
};

}  // namespace cache
