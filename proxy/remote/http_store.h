// One HTTP cache as a store of entries (`/ac/HEX`) and blobs (`/cas/HEX`): the requests, what their statuses
// mean, credentials, compression, and which rights are left. What entries say is for http_cache.h.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_set>

#include "base/clock.h"
#include "base/digest.h"
#include "base/http.h"
#include "remote/credentials.h"
#include "remote/endpoint.h"
#include "remote/failure.h"
#include "remote/health.h"
#include "remote/refusals.h"

namespace remote {

enum class Shelf { ac, cas };

// Any thread.
class HttpStore {
 public:
  HttpStore(Endpoint endpoint, base::HttpTls tls, bool may_update, base::Http& http, Credentials& credentials,
            base::Clock& clock);

  // Asks for the empty blob, which tells whether anything is there, and whether it lets us read. A failure is
  // in the health.
  void probe(const std::stop_token& stop);

  // The entry; nothing when absent. Not verified: whoever may write there is trusted.
  Remote<std::optional<std::string>> entry(const std::string& hex, const std::stop_token& stop);
  // The blob, verified; nothing when it is absent or not what its digest says.
  Remote<std::optional<std::string>> blob(const base::Digest& digest, const std::stop_token& stop);
  Remote<bool> has_blob(const base::Digest& digest, const std::stop_token& stop);

  // `denied` when the right to write is known to be missing, now or by this call.
  Remote<void> put(Shelf shelf, const std::string& hex, const std::string& bytes,
                   const std::stop_token& stop);

  bool may_read();
  bool may_update();
  std::string refusal();  // why one of them is false, in words; empty
  std::string warning();  // what looks wrong with the server, in words; empty

  Health& health() { return health_; }
  std::uint64_t sent_bytes() const { return sent_; }
  std::uint64_t received_bytes() const { return received_; }

 private:
  struct Ask {
    const char* method;
    Shelf shelf;
    std::string hex;
    Headers headers{};      // without the credentials
    base::HttpCall call{};  // its limits and its body; the rest is filled in for each attempt
    bool small = true;      // tells something about latency
  };
  struct Standing {
    std::optional<std::uint64_t> anonymous;  // these credentials are refused, and reading works without
    base::Nanoseconds full_until{0};         // uptime; the storage was full
    bool takes_zstd = false;
    bool refuses_zstd = false;
    std::unordered_set<std::string> damaged;  // hashes of blobs that came with other bytes; bounded
    std::string warning;
  };

  Remote<base::HttpAnswer> request(Ask ask, const std::stop_token& stop);
  Remote<base::HttpAnswer> send(Ask& ask, const Headers& credentials, const std::stop_token& stop);
  Remote<base::HttpAnswer> without_credentials(Ask& ask, std::uint64_t version, const std::stop_token& stop);
  Remote<std::optional<std::string>> content(Ask ask, std::size_t largest, const std::stop_token& stop);
  Remote<void> judge_put(const base::HttpAnswer& answer, const std::string& what);
  Failure refused(const Ask& ask) const;
  bool compresses(const std::string& bytes);

  const Endpoint endpoint_;
  const base::HttpTls tls_;
  const bool may_update_;
  base::Http& http_;
  Credentials& credentials_;
  base::Clock& clock_;
  Health health_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> received_{0};
  std::mutex mutex_;
  Standing standing_;  // guarded by mutex_
  Refusals refusals_;
};

}  // namespace remote
