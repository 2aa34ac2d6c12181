// A Job on its way through an engine: its blobs are brought there, the Action is executed, and what the
// engine answers is made an Answer. An engine that misses blobs, or may do so, is asked which, gets them, and
// is asked again; so builds survive storage that forgets.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "remote/backend.h"
#include "remote/cas.h"
#include "remote/connection.h"
#include "remote/execution.h"
#include "remote/failure.h"

namespace remote {

// Any thread.
class JobRunner {
 public:
  JobRunner(Cas& cas, Execution& execution, base::Clock& clock)
      : cas_(cas), execution_(execution), clock_(clock) {}

  // The outcome may have any exit code. `engine` when the server failed although it has all blobs;
  // `unplaceable` when it has no worker for the Action.
  Remote<Answer> run(const Call& call, const Job& job, const std::function<void(Stage)>& on_stage,
                     const std::stop_token& stop);

 private:
  // What may help after a failure.
  enum class Remedy { none, upload, wait, skip_cache };
  struct Attempt {
    Remote<Answer> answer;
    Remedy remedy = Remedy::none;
  };

  Attempt execute(const Call& call, const Job& job, bool skip_cache,
                  const std::function<void(Stage)>& on_stage, const std::stop_token& stop);
  Attempt read(const Call& call, const Execution::ExecuteResponse& response, const std::stop_token& stop);
  static Remedy remedy_of(const Failure& failure, bool by_worker);

  Cas& cas_;
  Execution& execution_;
  base::Clock& clock_;
  std::atomic<std::uint64_t> mended_{0};  // uploads that found something missing, of all jobs
};

}  // namespace remote
