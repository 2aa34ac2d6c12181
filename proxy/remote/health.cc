#include "remote/health.h"

#include <algorithm>

namespace remote {
namespace {

using std::chrono::seconds;

constexpr int kMostFailuresInARow = 10;
constexpr int kMostUnreachableInARow = 3;
constexpr base::Nanoseconds kWindow = seconds(30);
constexpr int kFewestInWindow = 20;

constexpr base::Nanoseconds kFirstOpenPause = seconds(2);
constexpr base::Nanoseconds kLongestOpenPause = seconds(300);
// A refused probe costs nobody any time, so it may be made often: an engine that comes back is used again
// well within a minute.
constexpr base::Nanoseconds kLongestUnreachablePause = seconds(30);

// A probe may be a call that lasts; after this long another may be made beside it.
constexpr base::Nanoseconds kProbeLimit = seconds(5);

constexpr std::int64_t to_seconds(base::Nanoseconds time) {
  return std::chrono::duration_cast<seconds>(time).count();
}

bool counts(Cause cause) {
  return cause == Cause::unavailable || cause == Cause::timed_out || cause == Cause::corrupt;
}

}  // namespace

bool Health::allows() {
  std::lock_guard lock(mutex_);
  if (state_.breaker == Breaker::closed) return true;
  base::Nanoseconds now = clock_.uptime();
  if (state_.breaker == Breaker::open && now < opened_ + pause_) return false;
  if (probing_ && now < probe_began_ + kProbeLimit) return false;
  state_.breaker = Breaker::half_open;
  probing_ = true;
  probe_began_ = now;
  return true;
}

void Health::succeeded(std::chrono::microseconds latency) {
  std::lock_guard lock(mutex_);
  if (latency.count() > 0) {
    std::int64_t old = state_.latency_us;
    state_.latency_us = old == 0 ? latency.count() : old + (latency.count() - old) / 8;
  }
  state_.last_error.clear();
  reset();
}

void Health::failed(const Failure& failure, base::Nanoseconds began) {
  std::lock_guard lock(mutex_);
  state_.last_error = failure.message;
  state_.last_error_s = to_seconds(clock_.wall());
  if (!counts(failure.cause)) {
    reset();
    return;
  }
  if (failure.cause == Cause::unavailable) ++losses_;
  if (state_.breaker == Breaker::half_open) {
    // Calls from before it opened end late, and badly; only a probe says how it is now.
    if (began < probe_began_) return;
    unreachable_in_a_row_ = failure.unreachable ? 1 : 0;
    open();
    return;
  }
  if (state_.breaker == Breaker::open || !is_news(failure, began)) return;
  count(true);
  ++failures_in_a_row_;
  unreachable_in_a_row_ = failure.unreachable ? unreachable_in_a_row_ + 1 : 0;
  if (tripped()) open();
}

void Health::inconclusive() {
  std::lock_guard lock(mutex_);
  probing_ = false;
}

HealthState Health::state() const {
  std::lock_guard lock(mutex_);
  HealthState out = state_;
  if (out.breaker == Breaker::open && clock_.uptime() >= opened_ + pause_) out.breaker = Breaker::half_open;
  return out;
}

std::uint64_t Health::losses() const {
  std::lock_guard lock(mutex_);
  return losses_;
}

void Health::reset() {
  count(false);
  failures_in_a_row_ = 0;
  unreachable_in_a_row_ = 0;
  state_.reached = true;
  if (state_.breaker == Breaker::closed) return;
  // Calls from before it opened may still end well, but only a probe says how it is now.
  if (state_.breaker == Breaker::open && clock_.uptime() < opened_ + pause_) return;
  state_.breaker = Breaker::closed;
  state_.open_until_s = 0;
  probing_ = false;
  pause_ = base::Nanoseconds(0);
  window_calls_ = window_failures_ = 0;
}

void Health::open() {
  base::Nanoseconds longest = unreachable_in_a_row_ > 0 ? kLongestUnreachablePause : kLongestOpenPause;
  pause_ = pause_.count() == 0 ? kFirstOpenPause : std::min(2 * pause_, longest);
  state_.breaker = Breaker::open;
  opened_ = clock_.uptime();
  state_.open_until_s = to_seconds(clock_.wall() + pause_);
  probing_ = false;
  failures_in_a_row_ = 0;
  window_calls_ = window_failures_ = 0;
}

void Health::count(bool failure) {
  base::Nanoseconds now = clock_.uptime();
  if (now >= window_began_ + kWindow) {
    window_began_ = now;
    window_calls_ = window_failures_ = 0;
  }
  ++window_calls_;
  if (failure) ++window_failures_;
}

bool Health::tripped() const {
  return failures_in_a_row_ >= kMostFailuresInARow || unreachable_in_a_row_ >= kMostUnreachableInARow ||
         (window_calls_ >= kFewestInWindow && 2 * window_failures_ > window_calls_);
}

bool Health::is_news(const Failure& failure, base::Nanoseconds began) {
  // Each call waited for itself, or tried to connect.
  if (failure.cause != Cause::unavailable || failure.unreachable) return true;
  if (began < lost_at_) return false;
  lost_at_ = clock_.uptime();
  return true;
}

}  // namespace remote
