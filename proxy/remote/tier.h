// The remote side as a task sees it: which mode is in force, which backend answers look-ups and which one
// executes, and the one limit on calls in flight.
//
// The mode follows the facts: `cluster` while an engine may be asked to execute, `cache_only` while only its
// cache answers, `local` without an endpoint. Credentials that stop working or come back change it without a
// restart.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/gate.h"
#include "remote/backend.h"
#include "remote/credentials.h"
#include "remote/layered.h"

namespace remote {

enum class Mode : std::uint8_t { cluster, cache_only, local, none };
const char* to_string(Mode mode);  // "cluster", "cache-only", "local", "none", as in the setting

// How a compiler and headers outside the exec root get to a worker.
enum class Toolchain : std::uint8_t {
  none,    // they do not: nothing is executed remotely
  inside,  // the compiler lies in the exec root and travels with the inputs
  image,   // the worker has them; that they are equal is confirmed before
  chroot,  // all travel, and the worker's root is the input root
};
const char* to_string(Toolchain toolchain);

struct TierState {
  Mode mode = Mode::local;
  std::string because;    // why not a better one, in words; empty when it is as configured
  bool degraded = false;  // `because` names something that was configured and does not work
  std::vector<BackendState> backends;
  CredentialState credentials;
  int in_flight = 0;
  int waiting = 0;
  int limit = 0;
};

struct TierOptions {
  std::optional<Mode> wanted;  // by the setting `goma`; nothing: as the endpoint and the credentials allow
  int max_in_flight = 200;
  // True where a call without headers is not anonymous, or need not be known: a client certificate proves who
  // we are, or the engine is on this machine. Else an engine is asked to execute without credentials only
  // when mode `cluster` is wanted.
  bool needs_no_headers = false;
};

// Any thread.
class Tier {
 public:
  // Either backend may be null. `engine` answers look-ups where `http` does not. `credentials` may be null,
  // and outlives it.
  Tier(TierOptions options, std::unique_ptr<Backend> engine, std::unique_ptr<Backend> http,
       Credentials* credentials);

  // The mode in force now.
  Mode mode();

  // What may be asked now; null when nothing may.
  Backend* cache();     // look-ups and fetches
  Backend* executor();  // executions
  Backend* shares();    // where local results go

  // Bounds calls in flight: 200 on Linux, 50 on macOS by the cluster's rule. Halved by exhausted(), and won
  // back by successes. Refusals of calls that were in flight together count once: each tells what
  // lowerings() was when it began, and one from before the last lowering says nothing new.
  base::Gate& gate() { return gate_; }
  int lowerings();
  void exhausted(int lowerings);
  void succeeded();

  TierState state();

 private:
  struct Verdict {
    Mode mode = Mode::local;
    std::string because;
    bool degraded = false;
  };
  Verdict verdict();
  struct Obstacle {
    std::string because;
    bool degraded = true;
  };
  std::optional<Obstacle> why_not_executing();

  const TierOptions options_;
  const std::unique_ptr<Backend> engine_;
  const std::unique_ptr<Backend> http_;
  Credentials* const credentials_;
  std::unique_ptr<Layered> both_;  // null unless there are two
  base::Gate gate_;
  std::mutex mutex_;
  int successes_ = 0;  // guarded by mutex_; since the limit was last changed
  int lowerings_ = 0;  // guarded by mutex_; how often it was lowered
};

}  // namespace remote
