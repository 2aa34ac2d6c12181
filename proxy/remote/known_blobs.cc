#include "remote/known_blobs.h"

#include <utility>

namespace remote {

// Two sets instead of a time for each blob: it takes less memory, and ageing is a swap.
KnownBlobs::KnownBlobs(base::Clock& clock, base::Nanoseconds lifetime, std::size_t most)
    : clock_(clock), half_(lifetime / 2), most_young_(most / 2), began_(clock.uptime()) {}

std::vector<base::Digest> KnownBlobs::unknown_of(const std::vector<base::Digest>& digests) {
  std::lock_guard lock(mutex_);
  age();
  std::vector<base::Digest> unknown;
  for (const base::Digest& digest : digests)
    if (!young_.contains(digest) && !old_.contains(digest)) unknown.push_back(digest);
  return unknown;
}

bool KnownBlobs::has(const base::Digest& digest) {
  std::lock_guard lock(mutex_);
  age();
  return young_.contains(digest) || old_.contains(digest);
}

std::uint64_t KnownBlobs::epoch() const {
  std::lock_guard lock(mutex_);
  return epoch_;
}

void KnownBlobs::add(const std::vector<base::Digest>& digests, std::uint64_t epoch) {
  std::lock_guard lock(mutex_);
  if (epoch != epoch_) return;
  age();
  for (const base::Digest& digest : digests) {
    if (young_.size() >= most_young_) {
      old_ = std::exchange(young_, {});
      began_ = clock_.uptime();
    }
    young_.insert(digest);
  }
}

void KnownBlobs::clear() {
  std::lock_guard lock(mutex_);
  ++epoch_;
  young_.clear();
  old_.clear();
}

void KnownBlobs::age() {
  base::Nanoseconds now = clock_.uptime();
  if (now - began_ >= 2 * half_) {
    young_.clear();
    old_.clear();
    began_ = now;
  } else if (now - began_ >= half_) {
    old_ = std::exchange(young_, {});
    began_ += half_;
  }
}

}  // namespace remote
