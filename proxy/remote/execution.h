// Execute and WaitExecution of an endpoint: one action from the request to its result, through dropped
// streams, proxies that cut silent calls, and restarts of the server.
#pragma once

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
  std::chrono::seconds slice{50};     // of one stream: proxies cut a silent one after 60 s
  std::chrono::seconds queue{300};    // waiting for a worker, without running
  std::chrono::seconds execute{900};  // running, as far as the server tells
  int restarts = 3;                   // Execute anew after the server forgot the operation
};

// Any thread.
class Execution {
 public:
  using ExecuteResponse = build::bazel::remote::execution::v2::ExecuteResponse;

  Execution(Connection& connection, std::string instance, base::Clock& clock, ExecutionLimits limits = {});

  // The response as the server gave it, its own status not yet looked at. On a stop or a limit that passed,
  // the operation is cancelled on the server, once, as far as it can.
  Remote<ExecuteResponse> execute(const Call& call, const base::Digest& action,
                                  const std::vector<std::string>& output_paths, bool skip_cache,
                                  const std::function<void(Stage)>& on_stage, const std::stop_token& stop);

 private:
  Connection& connection_;
  const std::string instance_;
  base::Clock& clock_;
  const ExecutionLimits limits_;
};

}  // namespace remote
