// What experience taught about an endpoint beyond what it announces: limits that it or a proxy in between
// turned out to have, and methods that it turned out to lack.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>

#include "base/clock.h"

namespace remote {

enum class Feature { zstd_streams, zstd_batches, batch_update, batch_read, query_write_status };

// Any thread.
class Quirks {
 public:
  // A limit is tried anew after this time: the proxy's owner may have raised it.
  static constexpr base::Nanoseconds kMemory = std::chrono::minutes(10);
  // No message limit is smaller.
  static constexpr std::size_t kLeast = 64 << 10;

  explicit Quirks(base::Clock& clock) : clock_(clock) {}

  // All are there until they are lost. A lost one stays lost.
  bool has(Feature feature) const { return !lost_[static_cast<std::size_t>(feature)]; }
  void lost(Feature feature) { lost_[static_cast<std::size_t>(feature)] = true; }

  // The most bytes that a message should have, encoded: `announced`, or less after refusals.
  std::size_t message_limit(std::size_t announced);

  // A message of so many bytes was too large: half as many are tried next.
  void refused(std::size_t bytes);

  // Proxies may limit what one call sends altogether, in however small messages. False for a blob as large as
  // one that was refused lately.
  bool takes_stream(std::size_t bytes);
  void refused_stream(std::size_t bytes);

 private:
  // In force until a time.
  struct Limit {
    std::size_t bytes = 0;  // 0: none
    base::Nanoseconds until{0};
  };
  std::size_t in_force(Limit& limit);           // 0: none. Requires: mutex_ held.
  void lower(Limit& limit, std::size_t bytes);  // Requires: mutex_ held.

  base::Clock& clock_;
  std::array<std::atomic<bool>, 5> lost_{};
  std::mutex mutex_;
  Limit message_;  // guarded by mutex_; the most
  Limit stream_;   // guarded by mutex_; the least that was refused
};

}  // namespace remote
