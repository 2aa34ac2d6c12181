// The half of the tracker that deals with watches and their notices.
#include <algorithm>

#include "inputs/tracker.h"

namespace inputs {

void Tracker::refresh() {
  round_.fetch_add(1, std::memory_order_acq_rel);
  if (!watcher_) return;
  std::lock_guard lock(drain_mutex_);
  watcher_->drain([this](const Watcher::Event& event) { return apply(event); });
}

bool Tracker::apply(const Watcher::Event& event) {
  totals_.events.fetch_add(1, std::memory_order_relaxed);
  if (event.kind == Watcher::Kind::everything) {
    if (event.overflow) totals_.overflows.fetch_add(1, std::memory_order_relaxed);
    mark_all();
    return false;
  }
  std::vector<NodeId> directories;
  {
    std::lock_guard lock(watch_mutex_);
    auto found = watches_.find(event.watch);
    if (found == watches_.end()) return true;
    if (event.kind != Watcher::Kind::self && found->second.size() == 1 && !event.name.empty()) {
      // Builds write thousands of files that no scan ever asked for: these end here.
      NodeId child = table_.lookup(found->second.front(), event.name);
      if (child == kNoNode) return true;
    }
    directories = found->second;
  }
  if (event.kind == Watcher::Kind::self) {
    for (NodeId directory : directories) mark_subtree(directory);
    return true;
  }
  for (NodeId directory : directories) {
    // Without a name it is about what is watched itself: a file, or a directory's own attributes.
    NodeId node = event.name.empty() ? directory : table_.lookup(directory, event.name);
    if (node == kNoNode) continue;
    if (event.kind == Watcher::Kind::entry || event.directory) {
      mark_subtree(node);
    } else if (event.kind != Watcher::Kind::content ||
               table_.node(node).shape.load(std::memory_order_acquire).type != base::FileType::other) {
      // What is written to a device or a pipe changes nothing that a look would see.
      mark(node, event.kind == Watcher::Kind::content);
    }
  }
  return true;
}

// Whether all changes in a directory are told. Starts the watch if need be.
bool Tracker::watched(NodeId directory) {
  if (!watcher_) return false;
  Node& node = table_.node(directory);
  std::uint64_t dev;
  {
    std::lock_guard lock(table_.stripe(directory).mutex);
    if (node.watch_generation == watch_generation_.load(std::memory_order_acquire)) return node.watch >= 0;
    if (node.sight.by_stat || node.shape.load(std::memory_order_relaxed).type != base::FileType::directory) {
      return false;
    }
    dev = node.sight.stat.dev;
  }
  if (!watcher_->reliable(table_.path(directory), dev)) return false;
  std::lock_guard lock(watch_mutex_);
  return start_watch(directory, dev);
}

bool Tracker::start_watch(NodeId directory, std::uint64_t dev) {
  Node& node = table_.node(directory);
  const std::uint32_t generation = watch_generation_.load(std::memory_order_acquire);
  std::uint32_t mark;
  {
    std::lock_guard lock(table_.stripe(directory).mutex);
    if (node.watch_generation == generation) return node.watch >= 0;
    mark = node.sight.mark;
    if (node.sight.stale || node.sight.stat.dev != dev) return false;
  }
  int watch = -1;
  Watcher::Added added = watcher_->add(table_.path(directory), watch);
  if (added == Watcher::Added::gone) return false;
  if (added == Watcher::Added::yes) {
    keep_watch(watch, directory);
  } else {
    totals_.refused.fetch_add(1, std::memory_order_relaxed);
  }
  {
    std::lock_guard lock(table_.stripe(directory).mutex);
    if (node.sight.mark == mark) {
      node.watch = watch;
      node.watch_generation = generation;
      return watch >= 0;
    }
  }
  if (watch >= 0) unmap(watch, directory);
  return false;
}

// The same for a regular file, which is being looked at and so is not current. `added`: it was not watched
// before, so the look must be taken again.
bool Tracker::watch_file(NodeId file, std::uint32_t mark, bool& added) {
  Node& node = table_.node(file);
  {
    std::lock_guard lock(table_.stripe(file).mutex);
    if (node.watch_generation == watch_generation_.load(std::memory_order_acquire)) return node.watch >= 0;
  }
  std::lock_guard lock(watch_mutex_);
  int watch = -1;
  if (totals_.watches.load(std::memory_order_relaxed) < watcher_->file_limit() &&
      watcher_->add_file(table_.path(file), watch) == Watcher::Added::gone) {
    return false;
  }
  if (watch >= 0) {
    keep_watch(watch, file);
  } else {
    totals_.refused.fetch_add(1, std::memory_order_relaxed);
  }
  {
    std::lock_guard stripe(table_.stripe(file).mutex);
    if (node.sight.mark == mark) {
      node.watch = watch;
      node.watch_generation = watch_generation_.load(std::memory_order_acquire);
      added = watch >= 0;
      return added;
    }
  }
  if (watch >= 0) unmap(watch, file);
  return false;
}

void Tracker::keep_watch(int watch, NodeId node) {
  std::vector<NodeId>& nodes = watches_[watch];
  if (nodes.empty()) totals_.watches.fetch_add(1, std::memory_order_relaxed);
  if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
}

void Tracker::drop_watch(NodeId directory) {
  std::lock_guard lock(watch_mutex_);
  int watch;
  bool valid;
  {
    std::lock_guard stripe(table_.stripe(directory).mutex);
    Node& node = table_.node(directory);
    watch = node.watch;
    valid = node.watch_generation == watch_generation_.load(std::memory_order_acquire);
    node.watch = -1;
    node.watch_generation = 0;
  }
  if (valid && watch >= 0) unmap(watch, directory);
}

void Tracker::unmap(int watch, NodeId directory) {
  auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  std::vector<NodeId>& nodes = found->second;
  nodes.erase(std::remove(nodes.begin(), nodes.end(), directory), nodes.end());
  if (!nodes.empty()) return;
  watches_.erase(found);
  totals_.watches.fetch_sub(1, std::memory_order_relaxed);
  watcher_->remove(watch);
}

// The watches become void before the nodes are counted: a node made later finds none and asks for a new one.
void Tracker::mark_all() {
  {
    std::lock_guard lock(watch_mutex_);
    watcher_->restart();
    watches_.clear();
    totals_.watches.store(0, std::memory_order_relaxed);
    watch_generation_.fetch_add(1, std::memory_order_acq_rel);
  }
  // One epoch for all: there may be very many, again and again, and a version has but 31 bits. It comes when
  // all are marked, so who reads it sees every mark, and each mark is newer than what was read before it.
  const NodeId end = table_.size();
  for (NodeId id = 0; id < end; ++id) {
    std::lock_guard lock(table_.stripe(id).mutex);
    doubt(id).mark = static_cast<std::uint32_t>((epoch_.load() + 1) & kVersion);
  }
  next_epoch();
}

}  // namespace inputs
