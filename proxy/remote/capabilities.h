// What a server says it can do, with the caution of experience: limits that it does not announce, promises
// that do not hold for this user.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "remote/connection.h"
#include "remote/failure.h"

namespace remote {

struct Capabilities {
  bool cache = false;             // the cache half was there
  bool execution = false;         // the execution half was there, and exec_enabled
  bool update_enabled = false;    // a hint: servers say so to users who may not
  std::int64_t batch_bytes = 0;   // the most that one encoded batch message may hold; never 0
  std::int64_t largest_blob = 0;  // 0: not announced
  bool zstd_streams = false;      // ByteStream takes and gives zstd
  bool zstd_batches = false;      // BatchUpdateBlobs does
  bool absolute_links = false;    // absolute targets in a Directory are allowed
  bool has_output_paths = true;   // API 2.1 or later
  std::int32_t low_priority = 0;  // the announced range holds 0 or is empty: 0 is sent
  std::string warning;            // "only a deprecated version fits", ...; empty
};

// Gotten once, again after `max_age` and after the connection was lost. Any thread.
class CapabilityReader {
 public:
  CapabilityReader(Connection& connection, std::string instance, base::Clock& clock);

  // Blocks for at most 5 s. `invalid` when the server has no digest function or API version in common with
  // us.
  Remote<Capabilities> get(const Call& call, const std::stop_token& stop);

  void forget();

 private:
  Connection& connection_;
  const std::string instance_;
  base::Clock& clock_;
  std::mutex mutex_;
  bool known_ = false;         // guarded by mutex_
  Capabilities capabilities_;  // guarded by mutex_
  base::Nanoseconds when_{0};  // guarded by mutex_; uptime
};

// `instance` must not hold a segment that resource names reserve; `invalid` with the segment.
base::Result<void> check_instance(const std::string& instance);

}  // namespace remote
