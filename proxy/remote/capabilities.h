// What a server says it can do, with the caution of experience: limits that it does not announce, promises
// that do not hold for this user.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "remote/connection.h"
#include "remote/failure.h"

namespace build::bazel::remote::execution::v2 {
class ServerCapabilities;
}

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
  std::int32_t priority = 0;      // to send: 0, unless an announced range leaves 0 out
  std::string warning;            // "only a deprecated version fits", ...; empty
};

// Read once, and again when it is old, when a connection was lost since, or when the credentials changed
// (some servers tell each user what that user may). One task reads for all; meanwhile the others go on with
// what was known. Any thread.
class CapabilityReader {
 public:
  CapabilityReader(Connection& connection, std::string instance, base::Clock& clock);

  // Blocks for at most about 5 s. `invalid` when the server has no digest function or API version in common
  // with us. A server that cannot be asked again is taken to be as it was.
  Remote<Capabilities> get(const Call& call, const std::stop_token& stop);

  void forget();

 private:
  bool is_fresh(std::uint64_t losses, std::uint64_t credentials) const;  // Requires: mutex_ held.
  Remote<Capabilities> read(const Call& call, const std::stop_token& stop);
  Remote<Capabilities> keep(Remote<Capabilities> read, std::uint64_t losses, std::uint64_t credentials);

  Connection& connection_;
  const std::string instance_;
  base::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any done_;
  bool reading_ = false;               // guarded by mutex_; by one task
  std::uint64_t readings_ = 0;         // guarded by mutex_; that ended
  std::optional<Capabilities> known_;  // guarded by mutex_
  std::optional<Failure> failure_;     // guarded by mutex_; of the last reading
  base::Nanoseconds when_{0};          // guarded by mutex_; uptime of the last reading
  std::uint64_t losses_ = 0;           // guarded by mutex_; of the connection, before it
  std::uint64_t credentials_ = 0;      // guarded by mutex_; their version, before it
};

// What an answer means for us.
Remote<Capabilities> capabilities_of(const build::bazel::remote::execution::v2::ServerCapabilities& answer);

// `instance` must not hold a segment that resource names reserve; `invalid` with the segment.
base::Result<void> check_instance(const std::string& instance);

}  // namespace remote
