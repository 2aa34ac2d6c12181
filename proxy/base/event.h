// Something that happens once, and that others wait for. The waiting thread is woken without a lock held that
// it would have to wait for next, which matters where hundreds of tasks hand each other on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>

namespace base {

// Any thread. Must live until set() has returned: where the one who waits may be the owner, share it.
class Event {
 public:
  void set();

  // Waits until it happened or a stop came. True when it happened, even if a stop came too.
  bool wait(const std::stop_token& stop);

  // The same, but no longer than the limit.
  bool wait_within(std::chrono::milliseconds limit, const std::stop_token& stop);

 private:
  bool wait_for_word(std::optional<std::chrono::milliseconds> limit, const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable word_;  // it happened, or somebody asks those who wait to stop
  bool happened_ = false;         // guarded by mutex_
};

}  // namespace base
