// What proves to an endpoint who we are: headers for each call. Read from a file, the configuration, netrc or
// a credential helper; kept until shortly before they expire; made anew by one task while the others wait.
// Never in a log, a page, a command line or an error message.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace remote {

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case

struct CredentialState {
  bool configured = false;     // something was configured at all
  bool usable = false;         // there are headers to send now, not expired
  std::string source;          // "file /path", "helper /path", "netrc", "headers", "none"
  std::int64_t expires_s = 0;  // since the epoch; 0 if unknown
  std::string problem;         // in words; empty when all is well
  bool sent = false;           // there are headers that are sent, be they of use or not
};

// The seam. Any thread.
class Credentials {
 public:
  virtual ~Credentials() = default;

  // The headers to send now, and a number that names this version of them. Refreshes when they are about to
  // expire or their file changed. Empty headers when there are none to be had: the caller goes on
  // anonymously. `cancelled` on a stop.
  struct Current {
    Headers headers;
    std::uint64_t version = 0;
  };
  virtual base::Result<Current> current(const std::stop_token& stop) = 0;

  // Told that the other side refused the headers of `version`. True when there are others now, so that one
  // more try makes sense. However often it is told, a version is not the reason for more than one refresh.
  virtual bool refused(std::uint64_t version, const std::stop_token& stop) = 0;

  // Changes within 100 ms when there are new headers, without asking helpers: cheap, for deciding whether a
  // right that was refused may be tried again.
  virtual std::uint64_t version() = 0;

  virtual CredentialState state() = 0;
};

}  // namespace remote
