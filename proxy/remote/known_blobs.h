// The blobs that an endpoint is known to hold, because it said so or took them: what need not be asked about
// again. Forgets after a while, since servers evict, and everything at once when the server turns out to lack
// something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"

namespace remote {

// A blob is remembered for at least half of `lifetime` and never for longer than it, and at most about `most`
// blobs are. Any thread.
class KnownBlobs {
 public:
  static constexpr base::Nanoseconds kLifetime = std::chrono::minutes(30);
  static constexpr std::size_t kMost = 500'000;

  explicit KnownBlobs(base::Clock& clock, base::Nanoseconds lifetime = kLifetime, std::size_t most = kMost);

  // Those that must be asked about, in the given order.
  std::vector<base::Digest> unknown_of(const std::vector<base::Digest>& digests);
  bool has(const base::Digest& digest);

  // Changes with each clear(). To be read before the server is asked.
  std::uint64_t epoch() const;

  // What the server confirmed. Nothing is kept when a clear() came between the question and the answer: the
  // answer may be older than the loss.
  void add(const std::vector<base::Digest>& digests, std::uint64_t epoch);

  void clear();

 private:
  void age();  // Requires: mutex_ held.

  base::Clock& clock_;
  const base::Nanoseconds half_;
  const std::size_t most_young_;
  mutable std::mutex mutex_;
  std::uint64_t epoch_ = 0;                 // guarded by mutex_
  base::Nanoseconds began_;                 // guarded by mutex_; of young_
  std::unordered_set<base::Digest> young_;  // guarded by mutex_
  std::unordered_set<base::Digest> old_;    // guarded by mutex_
};

}  // namespace remote
