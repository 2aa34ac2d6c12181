#include "remote/anonymous.h"

namespace remote {

bool Anonymous::leave() {
  CredentialState state = inner_.state();
  std::uint64_t version = inner_.version();
  if (!state.sent) return false;
  std::lock_guard lock(mutex_);
  left_ = version;
  return true;
}

void Anonymous::take_up() {
  std::lock_guard lock(mutex_);
  left_.reset();
}

bool Anonymous::is_left() {
  std::uint64_t version = inner_.version();
  std::lock_guard lock(mutex_);
  return left_ == version;
}

base::Result<Credentials::Current> Anonymous::current(const std::stop_token& stop) {
  base::Result<Current> current = inner_.current(stop);
  if (!current) return current;
  std::lock_guard lock(mutex_);
  if (left_ == current->version) current->headers.clear();
  return current;
}

bool Anonymous::refused(std::uint64_t version, const std::stop_token& stop) {
  {
    std::lock_guard lock(mutex_);
    if (left_ == version) return false;  // it was not these that were refused
  }
  return inner_.refused(version, stop);
}

std::uint64_t Anonymous::version() { return inner_.version(); }

CredentialState Anonymous::state() { return inner_.state(); }

}  // namespace remote
