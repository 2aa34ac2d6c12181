// What went wrong in a call to an endpoint, in the terms of what the caller may do about it. gRPC statuses,
// the status inside an Execute response, HTTP statuses and what proxies say in between are all mapped to it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"

namespace grpc {
class Status;
}
namespace google::protobuf {
class Any;
}
namespace google::rpc {
class Status;
}

namespace remote {

enum class Cause {
  unavailable,      // the network, a dead or restarting server, a proxy's 502: may work if tried again
  exhausted,        // a quota or a full queue: try again after `retry_after`, with less at a time
  too_large,        // the message is larger than the server or a proxy allows: send less in one
  timed_out,        // the call's own deadline passed
  unauthenticated,  // no or expired credentials, or (some servers) no right to this method
  denied,           // credentials are good, the right is missing
  missing_blobs,    // the server lacks blobs that the call refers to; `missing` where it says which
  not_found,        // no such entry, blob or operation
  unplaceable,      // no worker for this platform, or another precondition that retries cannot mend
  unimplemented,    // the server does not know the method
  invalid,          // the server calls the request malformed
  corrupt,          // bytes that do not match their digest, or a message that makes no sense
  engine,           // the server failed inside (INTERNAL from Execute): inputs may be missing
  action_timeout,   // the action ran longer than it may
  cancelled,        // a stop of ours
  local,            // an input could not be read here
};
const char* to_string(Cause cause);

struct Failure {
  Cause cause;
  std::string message;  // for people: what was done, where, and what the other side said
  std::chrono::milliseconds retry_after{0};
  std::vector<base::Digest> missing{};
  bool unreachable = false;  // no connection could be made: nothing was sent
};

// True for what may work if the same is tried again.
bool is_transient(Cause cause);

// `what` names the call ("GetActionResult"). Requires: not OK.
Failure failure_of(const grpc::Status& status, const std::string& what);
Failure failure_of(const google::rpc::Status& status, const std::string& what);
// Whether `any` holds a message of this full name, such as google.rpc.RetryInfo: the last part of its type
// URL tells it, and servers differ in what precedes that.
bool is_type(const google::protobuf::Any& any, std::string_view name);

// An HTTP status that a cache or a proxy answered with, 400 or more.
Failure failure_of_http(int status, const std::string& what);

template <class T>
using Remote = base::Result<T, Failure>;

}  // namespace remote
