// Whether the workers hold the same compiler and system headers as this machine, where these do not travel.
// Asked of the engine itself, by small actions that take digests on a worker, before the first compile that
// needs a file is sent; what was confirmed is not asked again for a while.
//
// An answer speaks for one worker. It may be taken for all only where they are known to be alike: the
// platform names an image by digest, or the configuration says so; that is for the caller to see to.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/gate.h"
#include "remote/action.h"
#include "remote/backend.h"
#include "remote/call.h"
#include "remote/failure.h"

namespace remote {

struct OutsideFiles {
  std::vector<KeyFile> files;       // must be there, with this content
  std::vector<std::string> absent;  // must not be there
};

// Any thread. One probe runs at a time; who needs the same files waits for it. It runs to its end even when
// whoever began it is stopped: else, where compiles here are quicker than a probe, none would ever end. A
// worker that could not be asked is left alone for some seconds, so that those who waited do not ask one
// after the other.
class Confirmer {
 public:
  // `settings` gives the platform of the actions that will be sent; a probe takes a place in `calls`, the
  // gate of calls in flight. Whoever holds such a place must not come here.
  Confirmer(KeySettings settings, base::Gate& calls, base::Clock& clock);

  // Stops a probe that runs, and all later ones.
  void end() { ending_.request_stop(); }

  // A failure `unplaceable` that names a file when the workers differ, another when they could not be asked.
  Remote<void> confirm(Backend& backend, const Call& call, const OutsideFiles& wanted,
                       const std::stop_token& stop);

  // True when confirm() would be content at once, without a call.
  bool knows(const OutsideFiles& wanted);

  // How many files and names are confirmed at present.
  std::size_t size() const;

 private:
  OutsideFiles unknown_of(const OutsideFiles& wanted, std::string& refused);
  Remote<void> ask(Backend& backend, const Call& call, const OutsideFiles& wanted, std::string& refused);
  Remote<void> probe(Backend& backend, const Call& call, const OutsideFiles& batch);
  std::optional<Failure> recent_failure() const;

  const KeySettings settings_;
  base::Gate& calls_;
  base::Clock& clock_;
  std::stop_source ending_;
  base::Gate one_{1};
  mutable std::mutex mutex_;
  // What workers have, by path; all guarded by mutex_. A refusal knows why, and of which content.
  struct Refusal {
    base::Digest wanted;  // of nothing for a name that must be absent
    std::string why;
  };
  std::unordered_map<std::string, base::Digest> files_;
  std::unordered_set<std::string> absent_;
  std::unordered_map<std::string, Refusal> refused_;
  base::Nanoseconds since_{0};      // guarded by mutex_; uptime of the oldest answer
  std::optional<Failure> failure_;  // guarded by mutex_; of the last probe
  base::Nanoseconds failed_{0};     // guarded by mutex_; uptime
};

// The probe for `batch` as a job, and what its output says: the names that are as wanted. Pure.
Job probe_job(const OutsideFiles& batch, const KeySettings& settings, std::string_view nonce);
// Nothing when the output is not that of a whole probe.
std::optional<std::unordered_set<std::string>> read_probe_output(std::string_view output);

}  // namespace remote
