#include "task/unit.h"

namespace task {

std::shared_ptr<const Unit> UnitMemo::find(const base::Digest& fingerprint) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(fingerprint);
  if (found == entries_.end()) return nullptr;
  ages_.splice(ages_.begin(), ages_, found->second.age);
  return found->second.unit;
}

void UnitMemo::put(const base::Digest& fingerprint, std::shared_ptr<const Unit> unit) {
  std::lock_guard lock(mutex_);
  if (auto found = entries_.find(fingerprint); found != entries_.end()) {
    found->second.unit = std::move(unit);
    ages_.splice(ages_.begin(), ages_, found->second.age);
    return;
  }
  ages_.push_front(fingerprint);
  entries_[fingerprint] = {std::move(unit), ages_.begin()};
  if (entries_.size() > limit_) {
    entries_.erase(ages_.back());
    ages_.pop_back();
  }
}

void UnitMemo::erase(const base::Digest& fingerprint) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(fingerprint);
  if (found == entries_.end()) return;
  ages_.erase(found->second.age);
  entries_.erase(found);
}

std::size_t UnitMemo::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace task
