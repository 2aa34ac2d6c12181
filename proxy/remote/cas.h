// The content-addressable storage of an endpoint: blobs up and down. Asks before it sends (but see Ask),
// remembers for a while what is there, merges the questions of all tasks into few calls, packs small blobs
// into batches and streams large ones.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "remote/blobs.h"
#include "remote/capabilities.h"
#include "remote/connection.h"
#include "remote/failure.h"

namespace remote {

struct CasOptions {
  std::string instance;
  bool compression = true;
};

// Which blobs the server is asked about before they are sent.
enum class Ask {
  unknown,  // those that are not remembered as present
  all,      // the remembered ones too: the server said that something was missing
  // As `unknown`; but when only a few small blobs are, none of which is a file, they are sent unasked. For
  // the messages of an Action that the cache does not know: the question would cost a round trip, and the
  // answer is nearly always that they are missing.
  files,
};

struct TransferCount {
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // as they went over the wire, without headers
};

// Any thread.
class Cas {
 public:
  Cas(Connection& connection, CapabilityReader& capabilities, CasOptions options, base::Clock& clock);
  ~Cas();

  // Makes sure that the server has all of them. Returns what was really sent. `local` when a file cannot be
  // read or has changed.
  Remote<TransferCount> upload(const Call& call, const std::vector<Source>& sources, Ask ask,
                               const std::stop_token& stop);

  // The content of each digest, verified; absent blobs are left out. The empty blob is never asked for.
  Remote<Contents> fetch(const Call& call, const std::vector<base::Digest>& digests,
                         const std::stop_token& stop);

  // Since the start, both ways.
  TransferCount sent() const;
  TransferCount received() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace remote
