// Watches the connections of waiting gomaccs: one that closes turns into a stop request for its task, and
// each is told every 5 s that it is not forgotten. One thread for all; it sleeps when nobody waits.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "base/fd.h"
#include "base/thread.h"

namespace serve {

// Any thread.
class Hangup {
 public:
  Hangup();
  ~Hangup();
  Hangup(const Hangup&) = delete;
  Hangup& operator=(const Hangup&) = delete;

  // From now on `closed` is called once when the peer of `fd` closes, and `beat` every 5 s. Both are called
  // from the watching thread with no lock held that add() or remove() needs, and must not block.
  void add(int fd, std::function<void()> closed, std::function<void()> beat);
  // After it returns neither function is running or will be called. Call before closing `fd`.
  void remove(int fd);

 private:
  struct Watched {
    std::uint32_t serial;  // tells this descriptor from an earlier one of the same number
    std::function<void()> closed;
    std::function<void()> beat;
  };
  void watch();
  void call(int fd, std::uint32_t serial, bool closed);

  base::Fd epoll_;
  base::Fd wake_;
  std::mutex mutex_;
  std::condition_variable idle_;              // signalled when calling_ becomes -1
  std::unordered_map<int, Watched> watched_;  // guarded by mutex_
  std::uint32_t last_serial_ = 0;             // guarded by mutex_
  int calling_ = -1;                          // guarded by mutex_: whose function runs now
  bool ending_ = false;                       // guarded by mutex_
  base::Thread thread_;
};

}  // namespace serve
