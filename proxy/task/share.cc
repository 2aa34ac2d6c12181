#include "task/share.h"

#include <optional>
#include <utility>

#include "cache/outcome.h"

namespace task {
namespace {

// An offer is some kilobytes; its blobs stay in the store until its turn.
constexpr std::size_t kQueue = 4'096;
constexpr std::chrono::seconds kLastChance{5};

}  // namespace

Share::Share(remote::Tier& tier, cache::Store& store)
    : tier_(tier), store_(store), thread_("share", [this] { work(); }) {}

Share::~Share() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  changed_.notify_all();
  lock.unlock();
  wait_idle(kLastChance);
  lock.lock();
  queue_.clear();
  lock.unlock();
  stop_.request_stop();
  changed_.notify_all();
  thread_.join();
}

void Share::offer(Offer offer) {
  std::lock_guard lock(mutex_);
  if (ending_ || queue_.size() >= kQueue) {
    ++counts_.dropped;
    return;
  }
  queue_.push_back(std::move(offer));
  changed_.notify_all();
}

bool Share::wait_idle(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return queue_.empty() && !busy_; });
}

Share::Counts Share::counts() const {
  std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.queued = queue_.size() + (busy_ ? 1 : 0);
  return counts;
}

void Share::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !queue_.empty() || ending_; });
    if (queue_.empty()) return;
    Offer offer = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    bool sent = send(offer);
    lock.lock();
    busy_ = false;
    ++(sent ? counts_.sent : counts_.failed);
    changed_.notify_all();
  }
}

bool Share::send(const Offer& offer) {
  remote::Backend* backend = tier_.shares();
  if (backend == nullptr || stop_.stop_requested()) return false;
  std::optional<cache::Outcome> outcome = store_.lookup(offer.action);
  if (!outcome) return false;
  std::vector<remote::Source> sources;
  for (const cache::OutputFile& file : outcome->files) {
    base::Result<std::string> bytes = store_.read(file.digest);
    if (!bytes) return false;
    sources.push_back({file.digest, std::move(*bytes), {}});
  }
  sources.push_back({offer.action, offer.action_bytes, {}});
  sources.push_back({base::digest_of(offer.command_bytes), offer.command_bytes, {}});
  return backend->update(offer.call, offer.action, *outcome, sources, stop_.get_token()).ok();
}

}  // namespace task
