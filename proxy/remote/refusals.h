// What an endpoint said no to. A right that was refused is given up without a word until there are other
// credentials; what the server cannot do, or has no worker for, is left alone for a while too. So builds
// never run into the same refusal again and again.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "remote/credentials.h"
#include "remote/failure.h"

namespace remote {

enum class Right : std::uint8_t { read, execute, update };

// Any thread.
class Refusals {
 public:
  Refusals(Credentials& credentials, base::Clock& clock);

  // Whether it may be tried now.
  bool allows(Right right);

  // Told of each failed use of a right. `version`: of the credentials when the use began. Failures that
  // are no refusal change nothing.
  void note(Right right, const Failure& failure, std::uint64_t version);

  // In words, of the rights that are given up now: the first one's. Empty when there are none.
  std::string reason();
  std::string reason(Right right);

 private:
  struct Refusal {
    bool standing = false;
    std::uint64_t version = 0;               // ends with other credentials
    std::optional<base::Nanoseconds> until;  // uptime; ends then at the latest
    std::string why;
  };

  Credentials& credentials_;
  base::Clock& clock_;
  std::mutex mutex_;
  std::array<Refusal, 3> refusals_;  // guarded by mutex_; by Right
};

}  // namespace remote
