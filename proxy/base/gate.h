// Bounded entry. Everything scarce (processor time, local compiles, calls to the cluster) has one Gate, and
// whoever uses it holds a Pass.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "base/event.h"
#include "base/result.h"

namespace base {

class Gate;

// The right to be inside. Gives its place back when it ends. Never hold one while waiting for another task
// (another gate, a OnceMap entry that somebody else computes): that deadlocks.
class Pass {
 public:
  Pass() = default;
  Pass(Pass&& other) noexcept;
  Pass& operator=(Pass&& other) noexcept;
  ~Pass();

  explicit operator bool() const { return gate_ != nullptr; }
  void release();

 private:
  friend class Gate;
  explicit Pass(Gate* gate) : gate_(gate) {}
  Gate* gate_ = nullptr;
};

// Lets at most `limit` in, first come first served. Any thread. Outlives its passes.
class Gate {
 public:
  explicit Gate(int limit) : limit_(limit) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Waits for a place. `cancelled` when a stop came first; the place in the queue is then given up.
  Result<Pass> enter(const std::stop_token& stop);

  // The same, but `transient` when no place came free in time.
  Result<Pass> enter_within(std::chrono::milliseconds limit, const std::stop_token& stop);

  // The limit may change while passes are held; a lower one takes effect as passes come back. At least 1.
  void set_limit(int limit);

  int limit() const;
  int inside() const;
  int waiting() const;

 private:
  friend class Pass;
  Result<Pass> enter_with(std::optional<std::chrono::milliseconds> limit, const std::stop_token& stop);
  void leave();
  // Gives the first in the queue a place, if there is one: the caller sets its event once the mutex is free.
  std::shared_ptr<Event> admit();  // Requires: mutex_ held.

  mutable std::mutex mutex_;
  int limit_;                                   // guarded by mutex_
  int inside_ = 0;                              // guarded by mutex_
  std::deque<std::shared_ptr<Event>> waiters_;  // guarded by mutex_
};

}  // namespace base
