// How an endpoint is doing: what calls came to, whether it may be called now, and what people are told. A
// breaker opens on a dead endpoint, so that builds do not wait for it, lets one probe through after a while,
// and closes when that succeeds.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "remote/failure.h"

namespace remote {

enum class Breaker { closed, open, half_open };

// A value for the page and the API.
struct HealthState {
  Breaker breaker = Breaker::closed;
  bool reached = false;           // some call was answered since the start
  std::int64_t latency_us = 0;    // of small calls, smoothed; 0 if unknown
  std::string last_error;         // in words; empty when the last call succeeded
  std::int64_t last_error_s = 0;  // since the epoch
  std::int64_t open_until_s = 0;  // since the epoch; 0 while closed
};

// Any thread.
class Health {
 public:
  explicit Health(base::Clock& clock) : clock_(clock) {}

  // Whether a call may be made now. While open: false, but for one probe at a time after the pause.
  bool allows();

  // What a call came to. Only failures of the way there (unavailable, timed_out, corrupt) count against the
  // endpoint: one that answers "no" is well.
  void succeeded(std::chrono::microseconds latency);
  void failed(const Failure& failure);

  HealthState state() const;

 private:
  base::Clock& clock_;
  mutable std::mutex mutex_;
  HealthState state_;                  // guarded by mutex_
  int failures_in_a_row_ = 0;          // guarded by mutex_
  base::Nanoseconds opened_{0};        // guarded by mutex_; uptime
  base::Nanoseconds pause_{0};         // guarded by mutex_
  bool probing_ = false;               // guarded by mutex_
  base::Nanoseconds probe_began_{0};   // guarded by mutex_
  base::Nanoseconds window_began_{0};  // guarded by mutex_
  int window_calls_ = 0;               // guarded by mutex_
  int window_failures_ = 0;            // guarded by mutex_
};

}  // namespace remote
