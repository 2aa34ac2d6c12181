#include "remote/claims.h"

#include <algorithm>

namespace remote {
namespace {

// Failures that say nothing about what others send: a stop, an unreadable input, and what the server has
// against one blob of many.
bool is_own_affair(Cause cause) {
  switch (cause) {
    case Cause::cancelled:
    case Cause::local:
    case Cause::too_large:
    case Cause::invalid:
    case Cause::corrupt:
    case Cause::engine:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Claims::Sending {
  base::Digest digest;
  const void* owner;
  bool settled = false;  // guarded by mutex_ of the Claims, as is the failure
  std::optional<Failure> failure;
};

Claims::Split Claims::take(const std::vector<base::Digest>& digests, const void* owner) {
  std::lock_guard lock(mutex_);
  Split split;
  for (const base::Digest& digest : digests) {
    std::shared_ptr<Sending>& sending = sendings_[digest];
    if (sending) {
      split.theirs.push_back(sending);
    } else {
      sending = std::make_shared<Sending>(Sending{digest, owner, false, std::nullopt});
      split.mine.push_back(digest);
    }
  }
  return split;
}

void Claims::settle(const std::vector<base::Digest>& digests, const void* owner,
                    const std::optional<Failure>& failure) {
  std::lock_guard lock(mutex_);
  for (const base::Digest& digest : digests) {
    auto found = sendings_.find(digest);
    if (found == sendings_.end() || found->second->owner != owner) continue;
    found->second->settled = true;
    found->second->failure = failure;
    sendings_.erase(found);
  }
  settled_.notify_all();
}

Remote<std::vector<base::Digest>> Claims::await(const std::vector<std::shared_ptr<Sending>>& theirs,
                                                const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  bool all = settled_.wait(lock, stop, [&] {
    return std::all_of(theirs.begin(), theirs.end(), [](const auto& sending) { return sending->settled; });
  });
  if (!all) return Failure{Cause::cancelled, "cancelled"};
  std::vector<base::Digest> given_up;
  for (const std::shared_ptr<Sending>& sending : theirs) {
    if (!sending->failure) continue;
    if (!is_own_affair(sending->failure->cause)) return *sending->failure;
    given_up.push_back(sending->digest);
  }
  return given_up;
}

}  // namespace remote
