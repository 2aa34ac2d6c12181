// One place where credentials come from: a file, netrc, a helper program. A chain asks them in turn (see
// credentials_chain.h).
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>

#include "base/result.h"
#include "remote/credentials.h"

namespace remote {

struct Grant {
  Headers headers;             // names in lower case; empty: there is nothing for this endpoint here
  std::int64_t expires_s = 0;  // since the epoch; 0 if unknown
};

// Any thread.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  // For people: "file /path".
  virtual std::string name() const = 0;

  // What to send now. An error says in words why there is nothing, and holds no secret; `cancelled` on a
  // stop. Blocks only where a helper must be waited for.
  virtual base::Result<Grant> get(const std::stop_token& stop) = 0;

  // The same as far as it can be told at once.
  virtual base::Result<Grant> peek() = 0;

  // The other side refused these headers: looks for others where that may help, and returns when it has.
  virtual void refused(const Headers& /*headers*/, const std::stop_token& /*stop*/) {}
};

// One that cannot change: what a setting or a login holds itself, or what is wrong with it.
class FixedSource : public CredentialSource {
 public:
  FixedSource(std::string name, base::Result<Grant> grant)
      : name_(std::move(name)), grant_(std::move(grant)) {}
  std::string name() const override { return name_; }
  base::Result<Grant> get(const std::stop_token& /*stop*/) override { return grant_; }
  base::Result<Grant> peek() override { return grant_; }

 private:
  const std::string name_;
  const base::Result<Grant> grant_;
};

}  // namespace remote
