#include "base/gate.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace base {

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

Result<Pass> Gate::enter(const std::stop_token& stop) { return enter_with(std::nullopt, stop); }

Result<Pass> Gate::enter_within(std::chrono::milliseconds limit, const std::stop_token& stop) {
  return enter_with(limit, stop);
}

Result<Pass> Gate::enter_with(std::optional<std::chrono::milliseconds> limit, const std::stop_token& stop) {
  std::shared_ptr<Event> turn;
  {
    std::lock_guard lock(mutex_);
    if (stop.stop_requested()) return cancelled();
    if (waiters_.empty() && inside_ < limit_) {
      ++inside_;
      return Pass(this);
    }
    turn = waiters_.emplace_back(std::make_shared<Event>());
  }
  bool admitted = limit ? turn->wait_within(*limit, stop) : turn->wait(stop);
  if (admitted) return Pass(this);
  std::lock_guard lock(mutex_);
  // Whoever is no longer in the queue was admitted meanwhile.
  if (std::erase(waiters_, turn) == 0) return Pass(this);
  if (stop.stop_requested()) return cancelled();
  return Error{ErrorKind::transient, "no place came free in time"};
}

void Gate::set_limit(int limit) {
  std::vector<std::shared_ptr<Event>> turns;
  {
    std::lock_guard lock(mutex_);
    limit_ = std::max(1, limit);
    while (std::shared_ptr<Event> turn = admit()) turns.push_back(std::move(turn));
  }
  for (const std::shared_ptr<Event>& turn : turns) turn->set();
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
  std::shared_ptr<Event> turn;
  {
    std::lock_guard lock(mutex_);
    --inside_;
    turn = admit();
  }
  if (turn) turn->set();
}

std::shared_ptr<Event> Gate::admit() {
  if (inside_ >= limit_ || waiters_.empty()) return nullptr;
  std::shared_ptr<Event> turn = std::move(waiters_.front());
  waiters_.pop_front();
  ++inside_;
  return turn;
}

}  // namespace base
