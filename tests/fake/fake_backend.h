// A backend that answers from tables and remembers what it was asked. Whatever a test wants to see at one
// particular moment (a stop, a change of a file) it does in a hook, which runs without the lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "cache/outcome.h"
#include "remote/backend.h"

namespace fake {

// What was asked of it, in order.
struct BackendCalls {
  struct Update {
    base::Digest action;
    cache::Outcome outcome;
    std::vector<remote::Source> sources;
  };
  std::vector<base::Digest> lookups;
  std::vector<std::vector<base::Digest>> fetches;
  std::vector<remote::Job> jobs;
  std::vector<Update> updates;
  int stopped = 0;  // executions that a stop ended
};

// Any thread.
class FakeBackend : public remote::Backend {
 public:
  // The action cache holds this.
  void put_entry(const base::Digest& action, remote::Answer answer) {
    std::lock_guard lock(mutex_);
    entries_.insert_or_assign(action, std::move(answer));
  }
  // Executing the action gives this.
  void put_result(const base::Digest& action, remote::Answer answer) {
    std::lock_guard lock(mutex_);
    results_.insert_or_assign(action, std::move(answer));
  }
  // The storage holds this.
  base::Digest put_blob(const std::string& bytes) {
    std::lock_guard lock(mutex_);
    base::Digest digest = base::digest_of(bytes);
    blobs_.insert_or_assign(digest, bytes);
    return digest;
  }
  void drop_blob(const base::Digest& digest) {
    std::lock_guard lock(mutex_);
    blobs_.erase(digest);
  }

  // Every later call of that kind fails so, until told otherwise with nothing.
  void fail_lookups(std::optional<remote::Failure> failure) { set(lookup_failure_, std::move(failure)); }
  void fail_fetches(std::optional<remote::Failure> failure) { set(fetch_failure_, std::move(failure)); }
  void fail_executions(std::optional<remote::Failure> failure) { set(execute_failure_, std::move(failure)); }
  void fail_updates(std::optional<remote::Failure> failure) { set(update_failure_, std::move(failure)); }

  void set_rights(remote::Rights rights) { set(rights_, rights); }
  void set_available(bool available) { set(available_, available); }

  // Executions wait until let go, or until their stop.
  void hold_executions() { set(held_, true); }
  void let_executions_go() { set(held_, false); }
  // Returns once so many executions have begun, or with false after a time that only a mistake can take.
  bool wait_for_executions(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return calls_.jobs.size() >= count; });
  }

  // The same for what was asked altogether.
  template <class Done>
  bool wait_until(const Done& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return done(calls_); });
  }

  // Runs in the thread of the call, before it is answered.
  std::function<void(const base::Digest& action)> before_lookup;
  std::function<void(const remote::Job& job)> before_execute;

  BackendCalls calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }

  remote::Remote<std::optional<remote::Answer>> lookup(const remote::Call&, const base::Digest& action,
                                                       const std::vector<std::string>&,
                                                       const std::stop_token& stop) override {
    if (before_lookup) before_lookup(action);
    std::lock_guard lock(mutex_);
    calls_.lookups.push_back(action);
    if (stop.stop_requested()) return stopped();
    if (lookup_failure_) return *lookup_failure_;
    auto entry = entries_.find(action);
    if (entry == entries_.end()) return std::optional<remote::Answer>();
    return std::optional<remote::Answer>(entry->second);
  }

  remote::Remote<remote::Contents> fetch(const remote::Call&, const std::vector<base::Digest>& digests,
                                         const std::stop_token& stop) override {
    std::lock_guard lock(mutex_);
    calls_.fetches.push_back(digests);
    if (stop.stop_requested()) return stopped();
    if (fetch_failure_) return *fetch_failure_;
    remote::Contents contents;
    for (const base::Digest& digest : digests) {
      auto blob = blobs_.find(digest);
      if (blob != blobs_.end()) contents.insert(*blob);
    }
    return contents;
  }

  remote::Remote<remote::Answer> execute(const remote::Call&, const remote::Job& job,
                                         const std::function<void(remote::Stage)>& on_stage,
                                         const std::stop_token& stop) override {
    {
      std::lock_guard lock(mutex_);
      calls_.jobs.push_back(job);
      changed_.notify_all();
    }
    if (before_execute) before_execute(job);
    for (remote::Stage stage : {remote::Stage::sending, remote::Stage::queued, remote::Stage::executing}) {
      if (on_stage) on_stage(stage);
    }
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !held_; }) || stop.stop_requested()) {
      ++calls_.stopped;
      changed_.notify_all();
      return stopped();
    }
    if (execute_failure_) return *execute_failure_;
    auto result = results_.find(job.action);
    if (result != results_.end()) return result->second;
    return remote::Failure{remote::Cause::engine, "the fake backend has no result for this action"};
  }

  remote::Remote<void> update(const remote::Call&, const base::Digest& action, const cache::Outcome& outcome,
                              const std::vector<remote::Source>& sources,
                              const std::stop_token& stop) override {
    std::lock_guard lock(mutex_);
    calls_.updates.push_back({action, outcome, sources});
    changed_.notify_all();
    if (stop.stop_requested()) return stopped();
    if (update_failure_) return *update_failure_;
    remote::Answer answer;
    answer.outcome = outcome;
    answer.cached = true;
    entries_.insert_or_assign(action, std::move(answer));
    for (const remote::Source& source : sources) {
      if (source.path.empty()) blobs_.insert_or_assign(source.digest, source.bytes);
    }
    return {};
  }

  remote::Rights rights() override {
    std::lock_guard lock(mutex_);
    return rights_;
  }
  bool available() override {
    std::lock_guard lock(mutex_);
    return available_;
  }
  remote::BackendState state() override {
    std::lock_guard lock(mutex_);
    remote::BackendState state;
    state.address = "grpc://fake";
    state.kind = "reapi";
    state.rights = rights_;
    return state;
  }

 private:
  template <class T, class V>
  void set(T& member, V value) {
    std::lock_guard lock(mutex_);
    member = std::move(value);
    changed_.notify_all();
  }
  static remote::Failure stopped() { return {remote::Cause::cancelled, "stopped"}; }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  BackendCalls calls_;  // this and all below guarded by mutex_
  std::map<base::Digest, remote::Answer> entries_;
  std::map<base::Digest, remote::Answer> results_;
  remote::Contents blobs_;
  std::optional<remote::Failure> lookup_failure_;
  std::optional<remote::Failure> fetch_failure_;
  std::optional<remote::Failure> execute_failure_;
  std::optional<remote::Failure> update_failure_;
  remote::Rights rights_{true, true, true};
  bool available_ = true;
  bool held_ = false;
};

}  // namespace fake
