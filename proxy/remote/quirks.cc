#include "remote/quirks.h"

#include <algorithm>

namespace remote {

std::size_t Quirks::message_limit(std::size_t announced) {
  std::lock_guard lock(mutex_);
  std::size_t limit = in_force(message_);
  return limit == 0 ? announced : std::min(announced, limit);
}

void Quirks::refused(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  lower(message_, std::max(bytes / 2, kLeast));
}

bool Quirks::takes_stream(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  std::size_t refused = in_force(stream_);
  return refused == 0 || bytes < refused;
}

void Quirks::refused_stream(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  lower(stream_, bytes);
}

std::size_t Quirks::in_force(Limit& limit) {
  if (clock_.uptime() >= limit.until) limit.bytes = 0;
  return limit.bytes;
}

void Quirks::lower(Limit& limit, std::size_t bytes) {
  std::size_t now = in_force(limit);
  if (now == 0 || bytes < now) limit.bytes = bytes;
  limit.until = clock_.uptime() + kMemory;
}

}  // namespace remote
