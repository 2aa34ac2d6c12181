// Offers local results to the cache of a cluster or to an HTTP cache, in the background: a build never waits
// for it. What does not fit into its queue is dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/thread.h"
#include "cache/store.h"
#include "remote/backend.h"
#include "remote/tier.h"

namespace task {

// Any thread.
class Share {
 public:
  struct Offer {
    remote::Call call;
    base::Digest action;
    std::string action_bytes;  // the serialised messages, so that an entry can be looked into
    std::string command_bytes;
  };

  Share(remote::Tier& tier, cache::Store& store);
  // Gives what is queued a few seconds to get out.
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  void offer(Offer offer);

  // Waits until everything offered so far is dealt with. False when the limit passed.
  bool wait_idle(std::chrono::milliseconds limit);

  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;
    std::uint64_t dropped = 0;
    std::size_t queued = 0;
  };
  Counts counts() const;

 private:
  void work();
  bool send(const Offer& offer);

  remote::Tier& tier_;
  cache::Store& store_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Offer> queue_;  // guarded by mutex_
  bool busy_ = false;        // guarded by mutex_
  bool ending_ = false;      // guarded by mutex_
  Counts counts_;            // guarded by mutex_
  base::Thread thread_;      // last: it uses the rest
};

}  // namespace task
