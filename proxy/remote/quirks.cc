#include "remote/quirks.h"

#include <algorithm>

namespace remote {

std::size_t Quirks::message_limit(std::size_t announced) {
  std::lock_guard lock(mutex_);
  if (limit_ != 0 && clock_.uptime() >= until_) limit_ = 0;
  return limit_ == 0 ? announced : std::min(announced, limit_);
}

void Quirks::refused(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  std::size_t half = std::max(bytes / 2, kLeast);
  if (limit_ == 0 || half < limit_) limit_ = half;
  until_ = clock_.uptime() + kMemory;
}

}  // namespace remote
