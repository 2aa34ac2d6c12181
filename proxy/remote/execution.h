// Execute and WaitExecution of an endpoint: one action from the request to its result, through dropped
// streams, proxies that cut silent calls, and restarts of the server.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "remote/backend.h"
#include "remote/connection.h"
#include "remote/failure.h"
#include "wire/reapi.pb.h"

namespace remote {

struct ExecutionLimits {
  std::chrono::milliseconds slice{50'000};     // of one stream: proxies cut a silent one after 60 s
  std::chrono::milliseconds queue{300'000};    // waiting for a worker, all waits together
  std::chrono::milliseconds execute{900'000};  // running, as far as the server tells
  int restarts = 3;                            // Execute anew after the server forgot the operation
  int cuts = 10;                               // of streams in a row that did not last a second
};

// Any thread.
class Execution {
 public:
  using ExecuteResponse = build::bazel::remote::execution::v2::ExecuteResponse;

  Execution(Connection& connection, std::string instance, base::Clock& clock, ExecutionLimits limits = {});

  // The response as the server gave it, its own status not yet looked at; the error of the operation, where
  // it has one, is the failure. `timed_out` when no worker took it within the queue limit, `action_timeout`
  // when it ran past the execute limit. On a stop or a limit that passed, the operation is cancelled on the
  // server, once, as far as it can. `on_stage` is told of queued and executing, each time that changes.
  Remote<ExecuteResponse> execute(const Call& call, const base::Digest& action,
                                  const std::vector<std::string>& output_paths, bool skip_cache,
                                  const std::function<void(Stage)>& on_stage, const std::stop_token& stop);

 private:
  // Best effort: the losing side of a race must not wait long for it.
  void cancel(const Call& call, const std::string& name);

  Connection& connection_;
  const std::string instance_;
  base::Clock& clock_;
  const ExecutionLimits limits_;
  std::atomic<bool> cannot_cancel_{false};  // the server does not know CancelOperation
};

}  // namespace remote
