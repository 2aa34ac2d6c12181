#include "base/gate.h"

#include <algorithm>
#include <utility>

namespace base {

struct Gate::Waiter {
  std::condition_variable_any wake;
  bool admitted = false;
};

Pass::Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}

Pass& Pass::operator=(Pass&& other) noexcept {
  if (this != &other) {
    release();
    gate_ = std::exchange(other.gate_, nullptr);
  }
  return *this;
}

Pass::~Pass() { release(); }

void Pass::release() {
  if (Gate* gate = std::exchange(gate_, nullptr)) gate->leave();
}

Result<Pass> Gate::enter(const std::stop_token& stop) { return enter_until(nullptr, stop); }

Result<Pass> Gate::enter_within(std::chrono::milliseconds limit, const std::stop_token& stop) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  return enter_until(&deadline, stop);
}

Result<Pass> Gate::enter_until(const std::chrono::steady_clock::time_point* deadline,
                               const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (stop.stop_requested()) return cancelled();
  if (waiters_.empty() && inside_ < limit_) {
    ++inside_;
    return Pass(this);
  }
  Waiter self;
  waiters_.push_back(&self);
  auto admitted = [&] { return self.admitted; };
  if (deadline != nullptr) {
    self.wake.wait_until(lock, stop, *deadline, admitted);
  } else {
    self.wake.wait(lock, stop, admitted);
  }
  if (self.admitted) return Pass(this);
  std::erase(waiters_, &self);
  if (stop.stop_requested()) return cancelled();
  return Error{ErrorKind::transient, "no place came free in time"};
}

void Gate::set_limit(int limit) {
  std::lock_guard lock(mutex_);
  limit_ = std::max(1, limit);
  admit();
}

int Gate::limit() const {
  std::lock_guard lock(mutex_);
  return limit_;
}

int Gate::inside() const {
  std::lock_guard lock(mutex_);
  return inside_;
}

int Gate::waiting() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(waiters_.size());
}

void Gate::leave() {
  std::lock_guard lock(mutex_);
  --inside_;
  admit();
}

void Gate::admit() {
  while (inside_ < limit_ && !waiters_.empty()) {
    Waiter* next = waiters_.front();
    waiters_.pop_front();
    next->admitted = true;
    ++inside_;
    next->wake.notify_one();
  }
}

}  // namespace base
