// When to try again: pauses that grow and are never quite equal, so that many clients do not come back
// together, and a budget that keeps retries a small part of all calls.
#pragma once

#include <chrono>
#include <mutex>
#include <random>

#include "base/clock.h"

namespace remote {

// The pause before the retry number `retry` (from 0): 100 ms, doubling up to 5 s, less up to half of it by
// chance (`random` within 0..1).
std::chrono::milliseconds backoff(int retry, double random);

// A random number within 0..1. Any thread.
class Jitter {
 public:
  double next();

 private:
  std::mutex mutex_;
  std::minstd_rand engine_{std::random_device{}()};  // guarded by mutex_
};

// Each call earns a tenth of a retry, and one a second comes for free, so that a client with few calls may
// retry at all. At most 20 are saved up: a server in trouble is not met by a storm. Any thread.
class RetryBudget {
 public:
  explicit RetryBudget(base::Clock& clock);

  // A first attempt was made.
  void earn();
  // Whether one more retry may be made now; takes it.
  bool spend();

 private:
  void refill();  // Requires: mutex_ held.

  base::Clock& clock_;
  std::mutex mutex_;
  double tokens_;             // guarded by mutex_
  base::Nanoseconds filled_;  // guarded by mutex_; uptime
};

}  // namespace remote
