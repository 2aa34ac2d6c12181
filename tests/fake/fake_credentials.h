// Credentials that a test sets, counting what was asked.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "remote/credentials.h"

namespace fake {

inline remote::Headers bearer(const std::string& token) { return {{"authorization", "Bearer " + token}}; }

// Any thread.
class FakeCredentials : public remote::Credentials {
 public:
  base::Result<Current> current(const std::stop_token&) override {
    std::lock_guard lock(mutex_);
    return Current{headers_, version_};
  }

  bool refused(std::uint64_t version, const std::stop_token&) override {
    std::lock_guard lock(mutex_);
    ++refusals_;
    if (version != version_) return true;
    if (next_.empty()) return false;
    headers_ = std::exchange(next_, {});
    ++version_;
    return true;
  }

  std::uint64_t version() override {
    std::lock_guard lock(mutex_);
    return version_;
  }

  remote::CredentialState state() override {
    std::lock_guard lock(mutex_);
    return {!headers_.empty(), !headers_.empty() && !expired_, "headers", 0, "", !headers_.empty()};
  }

  void set(remote::Headers headers) {
    std::lock_guard lock(mutex_);
    headers_ = std::move(headers);
    ++version_;
  }
  // They are no longer usable, and sent all the same.
  void expire() {
    std::lock_guard lock(mutex_);
    expired_ = true;
  }
  // What a refusal leads to, once.
  void set_next(remote::Headers headers) {
    std::lock_guard lock(mutex_);
    next_ = std::move(headers);
  }
  int refusals() const {
    std::lock_guard lock(mutex_);
    return refusals_;
  }

 private:
  mutable std::mutex mutex_;
  remote::Headers headers_;    // guarded by mutex_
  remote::Headers next_;       // guarded by mutex_
  std::uint64_t version_ = 1;  // guarded by mutex_
  int refusals_ = 0;           // guarded by mutex_
  bool expired_ = false;       // guarded by mutex_
};

}  // namespace fake
