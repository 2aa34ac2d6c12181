// An address as it is configured: grpc://host:port, grpcs://host[:port], unix:/path, a bare host:port (as
// grpcs), http:// and https:// for the HTTP cache. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace remote {

struct Endpoint {
  enum class Protocol { grpc, http };
  Protocol protocol = Protocol::grpc;
  std::string text;    // as configured, without user and password: for people
  std::string target;  // for the gRPC library ("dns:///host:port", "unix:/path"), or the URL without user
  std::string host;    // empty for unix sockets
  std::string user;    // "user:password" of an http URL, decoded; empty without
  bool tls = false;
  bool local = false;  // loopback or unix: credentials may go in clear, and no proxy is used
};

// `invalid` with what is wrong and an example of what would be right.
base::Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace remote
