#include "inputs/subtree.h"

#include <algorithm>
#include <utility>

namespace inputs {
namespace {

// Records without use, after which few more are made.
constexpr std::uint32_t kPatience = 2 * SubtreeSet::kMost;
constexpr std::uint32_t kSeldom = 64;

// What an event costs against a step: a few look-ups by node and by name.
constexpr std::int64_t kEventSteps = 3;

template <typename T>
std::size_t bytes_of(const std::vector<T>& list) {
  return list.capacity() * sizeof(T);
}

}  // namespace

std::size_t Subtree::bytes() const {
  return sizeof(Subtree) + bytes_of(reads) + bytes_of(writes) + bytes_of(events);
}

std::int64_t Subtree::gain() const {
  return static_cast<std::int64_t>(steps) - static_cast<std::int64_t>(reads.size() + writes.size()) -
         kEventSteps * static_cast<std::int64_t>(events.size());
}

bool SubtreeSet::worth_recording() {
  ++walks_;
  if (walks_ == 1) return false;
  return in_vain_ < kPatience || walks_ % kSeldom == 0;
}

std::size_t SubtreeSet::keep(std::unique_ptr<Subtree> subtree) {
  ++in_vain_;
  std::size_t dropped = 0;
  std::erase_if(known_, [&](const std::unique_ptr<Subtree>& one) {
    const bool old = one->place.prelude == subtree->place.prelude && one->place.list != subtree->place.list;
    if (old) dropped += one->bytes();
    return old;
  });
  if (known_.size() == kMost) {
    dropped += known_.back()->bytes();
    known_.pop_back();
  }
  known_.insert(known_.begin(), std::move(subtree));
  return dropped;
}

Subtree* SubtreeSet::use(std::size_t which) {
  in_vain_ = 0;
  const auto first = known_.begin();
  std::rotate(first, first + static_cast<std::ptrdiff_t>(which),
              first + static_cast<std::ptrdiff_t>(which) + 1);
  return known_.front().get();
}

}  // namespace inputs
