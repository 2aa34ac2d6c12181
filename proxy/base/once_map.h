// Each key computed once, however many tasks ask for it at the same time. When the task that computes an
// entry is cancelled or fails in passing, a waiter takes over, so one Ctrl-C never fails another's compile.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <utility>

#include "base/result.h"

namespace base {

// Any thread. `Value` is copied out, so it should be a shared_ptr or small. An error of kind `cancelled` or
// `transient` is not kept; any other result is, until erase().
template <class Key, class Value, class Hash = std::hash<Key>>
class OnceMap {
 public:
  using Compute = std::function<Result<Value>()>;

  // The kept result, or that of `compute`, run on this thread without a lock held. Requires: no Pass held.
  Result<Value> get(const Key& key, const std::stop_token& stop, const Compute& compute) {
    std::unique_lock lock(mutex_);
    while (true) {
      std::shared_ptr<Entry>& slot = entries_[key];
      if (!slot) slot = std::make_shared<Entry>();
      std::shared_ptr<Entry> entry = slot;
      if (entry->result) return *entry->result;
      if (!entry->computing) return run(lock, key, entry, compute);
      entry->done.wait(lock, stop, [&] { return entry->result.has_value() || !entry->computing; });
      if (stop.stop_requested() && !entry->result) return cancelled();
      if (entry->result) return *entry->result;
    }
  }

  // The kept result, if there is one.
  std::optional<Result<Value>> peek(const Key& key) const {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    return found->second->result;
  }

  // Forgets the entry; a computation under way still serves those who wait for it.
  void erase(const Key& key) {
    std::lock_guard lock(mutex_);
    entries_.erase(key);
  }

 private:
  struct Entry {
    bool computing = false;
    std::optional<Result<Value>> result;
    std::condition_variable_any done;
  };

  Result<Value> run(std::unique_lock<std::mutex>& lock, const Key& key, const std::shared_ptr<Entry>& entry,
                    const Compute& compute) {
    entry->computing = true;
    lock.unlock();
    Result<Value> result = compute();
    lock.lock();
    entry->computing = false;
    bool passing = !result.ok() && (result.error().kind == ErrorKind::cancelled ||
                                    result.error().kind == ErrorKind::transient);
    if (!passing) {
      entry->result = result;
    } else if (auto found = entries_.find(key); found != entries_.end() && found->second == entry) {
      // Waiters loop, find no entry, and the first of them computes it anew.
      entries_.erase(found);
    }
    entry->done.notify_all();
    return result;
  }

  mutable std::mutex mutex_;
  std::unordered_map<Key, std::shared_ptr<Entry>, Hash> entries_;  // guarded by mutex_
};

}  // namespace base
