// GetActionResult and UpdateActionResult of an endpoint.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/digest.h"
#include "remote/connection.h"
#include "remote/failure.h"
#include "wire/reapi.pb.h"

namespace remote {

// Any thread.
class ActionCache {
 public:
  using ActionResult = build::bazel::remote::execution::v2::ActionResult;

  ActionCache(Connection& connection, std::string instance);

  // Nothing on a miss. `output_paths` are offered to the server as hints for what to send along.
  Remote<std::optional<ActionResult>> get(const Call& call, const base::Digest& action,
                                          const std::vector<std::string>& output_paths,
                                          const std::stop_token& stop);

  Remote<void> update(const Call& call, const base::Digest& action, const ActionResult& result,
                      const std::stop_token& stop);

 private:
  Connection& connection_;
  const std::string instance_;
};

}  // namespace remote
