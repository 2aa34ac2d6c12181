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

// Opens after three failures in a row to connect at all (nothing was sent, and nothing listens: waiting for
// more evidence only delays builds), after ten failures in a row of any kind, or when more than half of at
// least 20 calls within 30 s fail. The first pause is short, so that a restarted engine is soon used again.
// Any thread.
class Health {
 public:
  explicit Health(base::Clock& clock) : clock_(clock) {}

  // Whether a call may be made now. While open: false, but for one probe at a time after the pause. Whoever
  // was let through reports what came of it by one of the three below.
  bool allows();

  // What a call came to. Only failures of the way there (unavailable, timed_out, corrupt) count against the
  // endpoint: one that answers "no" is well. `began`: the uptime when the call began. Calls that one lost
  // connection took down together count once: those that began before the last failure of that kind.
  void succeeded(std::chrono::microseconds latency);
  void failed(const Failure& failure, base::Nanoseconds began = base::Nanoseconds::max());
  // The call ended without telling anything about the endpoint: it was stopped here.
  void inconclusive();

  // `breaker` is half_open as soon as a probe may be made. Takes no probe.
  HealthState state() const;

  // Grows when a connection was lost or not made: what was learnt about the server may be out of date.
  std::uint64_t losses() const;

 private:
  void reset();                                                   // Requires: mutex_ held.
  void open();                                                    // Requires: mutex_ held.
  void count(bool failure);                                       // Requires: mutex_ held.
  bool tripped() const;                                           // Requires: mutex_ held.
  bool is_news(const Failure& failure, base::Nanoseconds began);  // Requires: mutex_ held.

  base::Clock& clock_;
  mutable std::mutex mutex_;
  HealthState state_;                  // guarded by mutex_
  std::uint64_t losses_ = 0;           // guarded by mutex_
  int failures_in_a_row_ = 0;          // guarded by mutex_
  int unreachable_in_a_row_ = 0;       // guarded by mutex_
  base::Nanoseconds lost_at_{-1};      // guarded by mutex_; uptime of the last lost connection
  base::Nanoseconds opened_{0};        // guarded by mutex_; uptime
  base::Nanoseconds pause_{0};         // guarded by mutex_
  bool probing_ = false;               // guarded by mutex_
  base::Nanoseconds probe_began_{0};   // guarded by mutex_
  base::Nanoseconds window_began_{0};  // guarded by mutex_
  int window_calls_ = 0;               // guarded by mutex_
  int window_failures_ = 0;            // guarded by mutex_
};

}  // namespace remote
