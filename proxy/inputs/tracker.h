// Keeps the nodes of a table true to the file system: turns the kernel's notices into marks, and marks into
// looks (an lstat) when somebody next needs the node.
//
// The rules that make an answer trustworthy:
// - Epochs. Every mark has an epoch newer than all that could be read before the node's word got kLook. Who
//   reads an epoch therefore sees every mark up to it, and equal epochs mean that nothing was marked in
//   between. What is marked at once shares one epoch, which comes with the last mark.
// - Watch, then look. A node is trusted without looking only if its directory was watched before the lstat,
// and
//   of a regular file the file itself, since nobody tells a directory of a new hard link to one of its files
//   or of a write through it. The mark is read before and compared after: a notice in between voids the look.
// - Down from the root. A node is looked at after its ancestors, each of which is watched from above. A
// notice
//   about a directory (moved, removed, made, chmod) marks all that is known below it and drops the watches
//   there, since these follow the inode and not the path.
// - A node's version is the epoch of the mark that led to the discovery that it changed, so "has it changed
//   since epoch E" is one compare.
// - Where there is no watch, a look is good for one round (one refresh) only.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "inputs/node_table.h"
#include "inputs/watcher.h"

namespace inputs {

// Any thread. No lock is held during a stat or a read.
class Tracker {
 public:
  // `watcher` may be null: every node is then checked by stat. Epochs are counted from `first_epoch`.
  Tracker(NodeTable& table, base::Files& files, base::Clock& clock, std::unique_ptr<Watcher> watcher,
          std::uint64_t first_epoch = 1);

  // Begins a round and applies every change made before the call. Who finds nothing to apply has waited until
  // all that others found is applied.
  void refresh();

  // Makes the node current and returns its word; kLook in it means "by stat", current for this round.
  std::uint32_t look(NodeId id);

  // Says that the node may have changed. `content`: it was written to, so equal time stamps prove nothing.
  void mark(NodeId id, bool content);

  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

  // True when a file with these times may be written again without any of them changing: it was touched
  // within the granularity of the stamps before `wall`, or the clock was set back.
  static bool racy(const base::FileStat& stat, std::int64_t wall);
  std::int64_t wall() { return clock_.wall().count(); }

  struct Totals {
    std::atomic<std::uint64_t> watches{0}, events{0}, overflows{0}, refused{0}, stats{0}, reads{0};
  };
  Totals& totals() { return totals_; }

 private:
  // What one look at a node brought.
  struct Glance {
    base::FileStat stat;
    bool broken = false;
    bool trusted = false;    // all changes since are told
    bool rewritten = false;  // equal stat, other content
    std::string target;
    std::int64_t wall = 0;
    std::uint32_t round = 0;
    std::uint64_t parent_dev = 0;
  };

  std::uint32_t next_epoch();
  Sight& doubt(NodeId id);                         // Requires: stripe held.
  bool current(const Sight& sight) const;          // Requires: stripe held.
  void look_once(NodeId id, std::uint32_t round);  // `round`: in which the ancestors were looked at
  Glance glance(NodeId id, std::uint32_t mark);
  bool trusted_above(NodeId id, Glance& seen, bool& possible);
  void take(const std::string& path, Glance& seen);
  void check_content(NodeId id, Glance& seen);
  // Stores what was seen; true when the node has become another thing, so that what lies below is void.
  bool settle(NodeId id, Glance& seen, bool keep_stale);  // Requires: stripe held.

  bool watched(NodeId directory);
  bool watch_file(NodeId file, std::uint32_t mark, bool& added);
  void keep_watch(int watch, NodeId node);                // Requires: watch_mutex_ held.
  bool start_watch(NodeId directory, std::uint64_t dev);  // Requires: watch_mutex_ held.
  void drop_watch(NodeId directory);
  void unmap(int watch, NodeId directory);  // Requires: watch_mutex_ held.

  void mark_below(NodeId id);
  void mark_subtree(NodeId id);
  void mark_all();
  bool apply(const Watcher::Event& event);
  void apply_to_self(const std::vector<NodeId>& directories);

  // Constant.
  NodeTable& table_;
  base::Files& files_;
  base::Clock& clock_;
  const std::unique_ptr<Watcher> watcher_;

  // Synchronised by themselves.
  std::atomic<std::uint64_t> epoch_;
  std::atomic<std::uint32_t> round_{1};
  std::atomic<std::uint32_t> watch_generation_{1};
  Totals totals_;

  // Order: drain_mutex_, watch_mutex_, a stripe of the table.
  std::mutex drain_mutex_;                                // held while notices are read and applied
  std::mutex watch_mutex_;                                // held while watches are added and removed
  std::unordered_map<int, std::vector<NodeId>> watches_;  // guarded by watch_mutex_; mostly one node each
};

}  // namespace inputs
