#include "base/event.h"

namespace base {

void Event::set() {
  {
    std::lock_guard lock(mutex_);
    happened_ = true;
  }
  word_.notify_all();
}

bool Event::wait(const std::stop_token& stop) { return wait_for_word(std::nullopt, stop); }

bool Event::wait_within(std::chrono::milliseconds limit, const std::stop_token& stop) {
  return wait_for_word(limit, stop);
}

bool Event::wait_for_word(std::optional<std::chrono::milliseconds> limit, const std::stop_token& stop) {
  // Made before the lock is taken, so that it ends after the lock is given back: its end waits for a call of
  // it that runs, which wants the lock.
  std::stop_callback wake(stop, [this] {
    // Whoever has looked and not yet gone to sleep holds the mutex, and would miss the word.
    { std::lock_guard lock(mutex_); }
    word_.notify_all();
  });
  std::unique_lock lock(mutex_);
  auto told = [&] { return happened_ || stop.stop_requested(); };
  if (limit) {
    word_.wait_for(lock, *limit, told);
  } else {
    word_.wait(lock, told);
  }
  return happened_;
}

}  // namespace base
