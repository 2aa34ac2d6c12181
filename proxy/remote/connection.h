// The way to one gRPC endpoint: channels, credentials, the headers of every call, deadlines, retries with a
// budget, and the endpoint's health. What the calls mean is for cas.h, action_cache.h and execution.h.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "remote/call.h"
#include "remote/credentials.h"
#include "remote/endpoint.h"
#include "remote/failure.h"
#include "remote/health.h"

namespace remote {

// Paths of PEM files, read again when they change. Empty: the system's roots, no client certificate.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
  std::string server_name;  // expected in the certificate instead of the host
};

// Bulk transfers have connections of their own, so that they never delay small calls.
enum class Lane { small, bulk };

struct CallOptions {
  std::string method;  // for messages
  Lane lane = Lane::small;
  std::chrono::milliseconds deadline{20'000};  // of one attempt
  int attempts = 4;
  // Long-lived: neither its duration nor an end without an error says anything about the endpoint; whoever
  // made the call tells the health when it was answered.
  bool streaming = false;
};

// Any thread.
class Connection {
 public:
  using Channel = std::shared_ptr<grpc::Channel>;
  // One attempt at a call, on a channel, with a context that has deadline, headers and cancellation.
  using Attempt = std::function<grpc::Status(grpc::ClientContext&, const Channel&)>;

  Connection(Endpoint endpoint, TlsFiles tls, Credentials& credentials, base::Clock& clock);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Makes attempts until one succeeds, fails for good, or the attempts, the retry budget or the breaker end
  // it. An UNAUTHENTICATED answer has the credentials refreshed once and is tried once more. `cancelled` on a
  // stop, within moments even in the middle of a call.
  Remote<void> run(const CallOptions& options, const Call& call, const std::stop_token& stop,
                   const Attempt& attempt);

  const Endpoint& endpoint() const;
  Credentials& credentials();
  Health& health();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace remote
