// The seam between a task and what answers from afar: a Remote Execution API engine (reapi.h) or an HTTP
// cache (http_cache.h). tests/fake/fake_backend.h answers from a table and records what was asked.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/digest.h"
#include "cache/outcome.h"
#include "remote/blobs.h"
#include "remote/call.h"
#include "remote/failure.h"
#include "remote/health.h"

namespace remote {

// What came back: the outcome with its messages, and those of its blobs that came along.
struct Answer {
  cache::Outcome outcome;
  Contents contents;
  bool cached = false;           // the engine answered from its own cache
  std::string worker;            // as the engine names it; may be empty
  std::string message;           // the engine's remark for people: a link to its own page
  std::uint64_t queue_us = 0;    // before a worker took it; 0 if unknown
  std::uint64_t execute_us = 0;  // on the worker; 0 if unknown
};

enum class Stage { sending, queued, executing };

// Everything that an engine needs to run an Action.
struct Job {
  base::Digest action;
  std::vector<std::string> output_paths;
  std::vector<Source> sources;  // inputs, directories, Command and Action; no digest twice
  bool skip_cache = false;      // the cached result turned out to be of no use
  bool is_new = false;          // the cache has just said that it does not know the Action
};

struct Rights {
  bool read = false;
  bool execute = false;
  bool update = false;
};

// For the page and the API.
struct BackendState {
  std::string address;
  std::string kind;     // "reapi", "http"
  HealthState health;   // of the endpoint that is worst off
  Rights rights;        // as far as known
  std::string refusal;  // why a right is missing, in words; empty
  std::string warning;  // about the server's capabilities; empty
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
};

// Any thread. Every call is bounded in time and ends soon after a stop.
class Backend {
 public:
  virtual ~Backend() = default;

  // The entry of the action cache; nothing on a miss. An entry that no compile can have made (a failure, no
  // outputs, malformed) is a miss too. Blobs may still turn out to be gone.
  virtual Remote<std::optional<Answer>> lookup(const Call& call, const base::Digest& action,
                                               const std::vector<std::string>& output_paths,
                                               const std::stop_token& stop) = 0;

  // Verified content; absent blobs are left out.
  virtual Remote<Contents> fetch(const Call& call, const std::vector<base::Digest>& digests,
                                 const std::stop_token& stop) = 0;

  // Uploads what is missing and runs the Action; heals missing blobs. The outcome may have any exit code.
  // `on_stage` is called from this thread. A stop cancels the operation on the engine.
  virtual Remote<Answer> execute(const Call& call, const Job& job, const std::function<void(Stage)>& on_stage,
                                 const std::stop_token& stop) = 0;

  // Offers a local result to the cache: blobs first, the entry last.
  virtual Remote<void> update(const Call& call, const base::Digest& action, const cache::Outcome& outcome,
                              const std::vector<Source>& sources, const std::stop_token& stop) = 0;

  // What may be tried now. A right that was refused is not tried again until there are other credentials.
  virtual Rights rights() = 0;

  // False while the breaker is open: nothing should be asked at all.
  virtual bool available() = 0;

  virtual BackendState state() = 0;
};

}  // namespace remote
