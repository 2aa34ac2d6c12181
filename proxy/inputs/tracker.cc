#include "inputs/tracker.h"

#include <algorithm>
#include <utility>

namespace inputs {
namespace {

// Time stamps are as coarse as a clock tick on most file systems and 1 s or 2 s on some.
constexpr std::int64_t kGranularity = 2'000'000'000;

// How often a look is begun again because notices keep coming.
constexpr int kLooks = 8;

// Whether two looks at a path saw the same thing. A directory's times, size and link count change with every
// file made in it, which matters to nobody who goes through it.
bool same(const base::FileStat& a, const base::FileStat& b) {
  if (a.type != base::FileType::directory || b.type != base::FileType::directory) return a == b;
  return a.dev == b.dev && a.ino == b.ino && a.mode == b.mode;
}

}  // namespace

Tracker::Tracker(NodeTable& table, base::Files& files, base::Clock& clock, std::unique_ptr<Watcher> watcher,
                 std::uint64_t first_epoch)
    : table_(table), files_(files), clock_(clock), watcher_(std::move(watcher)), epoch_(first_epoch) {}

bool Tracker::racy(const base::FileStat& stat, std::int64_t wall) {
  return std::max(stat.mtime_ns, stat.ctime_ns) + kGranularity > wall;
}

bool Tracker::current(const Sight& sight) const {
  if (!sight.seen || sight.stale) return false;
  return !sight.by_stat || sight.round == round_.load(std::memory_order_acquire);
}

std::uint32_t Tracker::look(NodeId id) {
  std::uint32_t word = table_.word(id).load(std::memory_order_acquire);
  if ((word & kLook) == 0) return word;
  {
    // By stat, and done in this round: so are its ancestors, which were looked at before it.
    std::lock_guard lock(table_.stripe(id).mutex);
    if (current(table_.node(id).sight)) return table_.word(id).load(std::memory_order_relaxed);
  }
  const std::uint32_t round = round_.load(std::memory_order_acquire);
  // The nearest ancestor that needs no look vouches for all above it.
  std::vector<NodeId> chain;
  for (NodeId at = id; at != kNoNode; at = table_.node(at).parent) {
    if ((table_.word(at).load(std::memory_order_acquire) & kLook) == 0) break;
    chain.push_back(at);
  }
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) look_once(*at, round);
  return table_.word(id).load(std::memory_order_acquire);
}

void Tracker::look_once(NodeId id, std::uint32_t round) {
  Node& node = table_.node(id);
  Stripe& stripe = table_.stripe(id);
  for (int attempt = 1; attempt <= kLooks; ++attempt) {
    std::uint32_t mark;
    {
      std::unique_lock lock(stripe.mutex);
      // One look serves all; it ends with a system call that no notice can prolong.
      stripe.changed.wait(lock, [&] { return !node.sight.looking; });
      if (current(node.sight)) return;
      node.sight.looking = true;
      mark = node.sight.mark;
    }
    Glance seen = glance(id, mark);
    seen.round = round;
    bool replaced = false;
    {
      std::lock_guard lock(stripe.mutex);
      node.sight.looking = false;
      bool disturbed = node.sight.mark != mark;
      // After the last attempt the node stays marked: whoever asks next looks again.
      if (!disturbed || attempt == kLooks) replaced = settle(id, seen, disturbed);
      stripe.changed.notify_all();
      if (disturbed && attempt < kLooks) continue;
    }
    if (replaced) mark_below(id);
    return;
  }
}

Tracker::Glance Tracker::glance(NodeId id, std::uint32_t mark) {
  Glance seen;
  seen.wall = wall();
  bool possible = true;
  seen.trusted = trusted_above(id, seen, possible);
  if (!possible) return seen;
  const std::string path = table_.path(id);
  take(path, seen);
  if (seen.trusted && seen.stat.type == base::FileType::regular) {
    bool added = false;
    seen.trusted = watch_file(id, mark, added);
    if (added) {
      take(path, seen);
      seen.trusted = seen.trusted && seen.stat.type == base::FileType::regular;
    }
  }
  check_content(id, seen);
  return seen;
}

// Whether the directory tells of all changes of this entry. Not `possible`: there can be no such entry.
bool Tracker::trusted_above(NodeId id, Glance& seen, bool& possible) {
  const NodeId parent = table_.node(id).parent;
  if (parent == kNoNode) return watcher_ != nullptr;
  const Shape above = table_.node(parent).shape.load(std::memory_order_acquire);
  bool stale;
  bool by_stat;
  {
    std::lock_guard lock(table_.stripe(parent).mutex);
    const Sight& sight = table_.node(parent).sight;
    stale = sight.stale;
    by_stat = sight.by_stat;
    seen.parent_dev = sight.stat.dev;
  }
  if (stale) return false;
  if (above.type != base::FileType::directory) {
    // Nothing is below what is no directory, and a change of that marks what was asked for below it.
    possible = false;
    seen.broken = above.broken;
    return !by_stat;
  }
  return !by_stat && watched(parent);
}

void Tracker::take(const std::string& path, Glance& seen) {
  totals_.stats.fetch_add(1, std::memory_order_relaxed);
  base::Result<base::FileStat> stat = files_.lstat(path);
  seen.broken = !stat.ok();
  seen.stat = stat.ok() ? *stat : base::FileStat{};
  if (seen.stat.type == base::FileType::symlink) {
    base::Result<std::string> target = files_.read_link(path);
    seen.broken = !target.ok();
    if (target.ok()) seen.target = *std::move(target);
  }
  // A file mounted over a name is not told of by the directory that the name is in.
  bool file = seen.stat.type != base::FileType::absent && seen.stat.type != base::FileType::directory;
  if (file && seen.stat.dev != seen.parent_dev) seen.trusted = false;
}

// Where equal time stamps prove nothing and somebody knows the content, only reading it again tells.
void Tracker::check_content(NodeId id, Glance& seen) {
  if (seen.stat.type != base::FileType::regular) return;
  base::Digest known;
  {
    std::lock_guard lock(table_.stripe(id).mutex);
    const Node& node = table_.node(id);
    const Sight& sight = node.sight;
    if (!sight.seen || !(sight.stat == seen.stat) || !node.extra || !node.extra->digest_known) return;
    if (!sight.content_noted && !racy(sight.stat, sight.wall) && !racy(sight.stat, seen.wall)) return;
    if (node.extra->version != (table_.word(id).load(std::memory_order_relaxed) & kVersion)) return;
    known = node.extra->digest;
  }
  totals_.reads.fetch_add(1, std::memory_order_relaxed);
  base::Result<std::string> content = files_.read(table_.path(id));
  seen.rewritten = !content.ok() || !(base::digest_of(*content) == known);
}

bool Tracker::settle(NodeId id, Glance& seen, bool keep_stale) {
  Node& node = table_.node(id);
  Sight& sight = node.sight;
  std::atomic<std::uint32_t>& word = table_.word(id);
  const Shape shape{seen.stat.type, seen.broken};
  const Shape before = node.shape.load(std::memory_order_relaxed);
  bool replaced = sight.seen && (before.type != shape.type || before.broken != shape.broken ||
                                 !same(sight.stat, seen.stat));
  bool changed = replaced || (sight.seen && seen.rewritten);
  if (shape.type == base::FileType::symlink) {
    if (!node.extra) node.extra = std::make_unique<Extra>();
    changed = changed || (sight.seen && node.extra->target != seen.target);
    node.extra->target = std::move(seen.target);
  }
  std::uint32_t version = word.load(std::memory_order_relaxed) & kVersion;
  if (changed) {
    // The epoch of the notice, unless the version already stands for it or an earlier look answered it: what
    // changed after that look changed later than the notice.
    version = sight.stale && sight.mark > version ? sight.mark : next_epoch();
  }
  sight.stat = seen.stat;
  sight.wall = seen.wall;
  sight.round = seen.round;
  sight.seen = true;
  sight.by_stat = !seen.trusted;
  sight.stale = keep_stale;
  if (!keep_stale) sight.content_noted = false;
  node.shape.store(shape, std::memory_order_release);
  word.store(version | (sight.stale || sight.by_stat ? kLook : 0), std::memory_order_release);
  return replaced && node.first_child.load(std::memory_order_acquire) != kNoNode;
}

std::uint32_t Tracker::next_epoch() {
  return static_cast<std::uint32_t>((epoch_.fetch_add(1) + 1) & kVersion);
}

// The first half of a mark; it has an epoch yet to get.
Sight& Tracker::doubt(NodeId id) {
  table_.word(id).fetch_or(kLook);
  Sight& sight = table_.node(id).sight;
  sight.stale = true;
  return sight;
}

void Tracker::mark(NodeId id, bool content) {
  std::lock_guard lock(table_.stripe(id).mutex);
  Sight& sight = doubt(id);
  sight.content_noted = sight.content_noted || content;
  // Never the same as before, which voids a look: mark_all() gives an epoch that is yet to come.
  const std::uint32_t before = sight.mark;
  do {
    sight.mark = next_epoch();
  } while (sight.mark == before);
}

// Each watch goes before its node is marked: who makes a new one in between makes it after the change, and
// who relied on the old one finds the mark. And before the children are listed: a child made meanwhile finds
// no watch and asks for a new one, a child made before is in the list.
void Tracker::mark_subtree(NodeId id) {
  std::vector<NodeId> todo{id};
  while (!todo.empty()) {
    NodeId at = todo.back();
    todo.pop_back();
    drop_watch(at);
    mark(at, false);
    NodeId child = table_.node(at).first_child.load(std::memory_order_acquire);
    for (; child != kNoNode; child = table_.node(child).next_sibling) todo.push_back(child);
  }
}

void Tracker::mark_below(NodeId id) {
  drop_watch(id);
  NodeId child = table_.node(id).first_child.load(std::memory_order_acquire);
  for (; child != kNoNode; child = table_.node(child).next_sibling) mark_subtree(child);
}

}  // namespace inputs
