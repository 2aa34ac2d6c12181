// A Remote Execution API engine as a Backend: its storage, action cache and execution service, which may lie
// at three addresses.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "remote/backend.h"
#include "remote/connection.h"
#include "remote/credentials.h"
#include "remote/endpoint.h"
#include "remote/execution.h"

namespace remote {

struct ReapiOptions {
  Endpoint cas;
  Endpoint action_cache;
  Endpoint executor;
  bool may_execute = true;  // false: by the configuration (mode cache-only)
  bool may_update = true;   // whether local results are offered, where the server takes them
  std::string instance;
  TlsFiles tls;
  bool compression = true;
  ExecutionLimits limits;
};

// `credentials` and `clock` outlive it. Nothing is called before the first request.
std::unique_ptr<Backend> make_reapi(const ReapiOptions& options, Credentials& credentials,
                                    base::Clock& clock);

}  // namespace remote
