// Many small blobs in one call: how many fit into a message, and BatchUpdateBlobs and BatchReadBlobs
// themselves, of one task or of several. Limits are of the encoded message, because servers count so.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/digest.h"
#include "remote/blobs.h"
#include "remote/connection.h"
#include "remote/failure.h"
#include "remote/rounds.h"

namespace remote {

// What a blob adds to a BatchUpdateBlobsRequest, or to a BatchReadBlobsResponse, at most.
std::size_t entry_bytes(const base::Digest& digest);

// What the request has besides its entries, at most.
std::size_t overhead_bytes(const std::string& instance);

// The blobs of one call. SDKs agree on this limit.
inline constexpr std::size_t kMostEntries = 4'000;

// How many of `digests`, from the first, go into a message of `limit` bytes. 0: not even the first.
std::size_t count_that_fits(const std::vector<base::Digest>& digests, const std::string& instance,
                            std::size_t limit);

// Calls whose entries take no more may be made together with those of other tasks, up to kMostShared in one.
inline constexpr std::size_t kShared = 16 << 10;
inline constexpr std::size_t kMostShared = 64 << 10;

// The two calls. What is small is sent or read in rounds; whom a round does not serve, because the server
// minds something in it, calls alone, so that one task's blobs never spoil another's. Any thread.
class Batches {
 public:
  Batches(Connection& connection, std::string instance, std::chrono::milliseconds tick = kRoundTick);
  ~Batches();

  // What became of the blobs of a call that failed as a whole or in part.
  struct Sent {
    std::vector<base::Digest> confirmed;  // they are there now
    std::uint64_t bytes = 0;              // sent, with those that were refused
  };
  // Adds to `sent` also when it fails. Only blobs that failed in passing are sent again. `zstd`: those that
  // gain by it are sent compressed.
  Remote<void> update(const Call& call, const std::vector<const Source*>& sources, bool zstd, Sent& sent,
                      const std::stop_token& stop);

  struct Received {
    Contents contents;                         // verified
    std::unordered_set<base::Digest> absent;   // the server lacks them
    std::unordered_set<base::Digest> corrupt;  // came with other bytes
    std::uint64_t bytes = 0;
  };
  // Adds to `received` also when it fails. `zstd`: the server may compress.
  Remote<void> read(const Call& call, const std::vector<base::Digest>& digests, bool zstd, Received& received,
                    const std::stop_token& stop);

  // How many calls have taken part in rounds so far; see Rounds::joined.
  std::uint64_t joined() const;

 private:
  struct Shared;

  Connection& connection_;
  const std::string instance_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace remote
