#include "inputs/file_index.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "inputs/content.h"
#include "inputs/node_table.h"
#include "inputs/tracker.h"
#include "inputs/walk.h"
#include "inputs/watcher.h"

namespace inputs {
namespace {

// No node ever has it: versions leave the top bit free.
constexpr std::uint32_t kNever = 0xffffffff;

}  // namespace

class FileIndex::State {
 public:
  State(base::Files& files, base::Clock& clock, std::unique_ptr<Watcher> watcher, std::uint64_t first_epoch)
      : tracker(table, files, clock, std::move(watcher), first_epoch), contents(table, tracker, files) {}

  NodeTable table;
  Tracker tracker;
  Contents contents;
};

FileIndex::FileIndex(base::Files& files, base::Clock& clock, bool watch)
    : FileIndex(files, clock, watch ? make_watcher() : nullptr) {}

FileIndex::FileIndex(base::Files& files, base::Clock& clock, std::unique_ptr<Watcher> watcher,
                     std::uint64_t first_epoch)
    : state_(std::make_unique<State>(files, clock, std::move(watcher), first_epoch)) {}

FileIndex::~FileIndex() = default;

void FileIndex::refresh() { state_->tracker.refresh(); }

Found FileIndex::find(std::string_view path, Trail& trail) {
  return walk(state_->table, state_->tracker, NodeTable::kRoot, path, trail);
}

Found FileIndex::find_in(NodeId directory, std::string_view name, Trail& trail) {
  return walk(state_->table, state_->tracker, directory, name, trail);
}

std::string FileIndex::path(NodeId node) const { return state_->table.path(node); }
std::string_view FileIndex::path(NodeId node, std::string& buffer) const {
  return state_->table.path(node, buffer);
}

base::FileType FileIndex::type(NodeId node) const { return state_->table.node(node).shape.load().type; }

base::FileStat FileIndex::stat(NodeId node) {
  state_->tracker.look(node);
  std::lock_guard lock(state_->table.stripe(node).mutex);
  return state_->table.node(node).sight.stat;
}

std::optional<std::uint32_t> FileIndex::version(NodeId node) const {
  const std::uint32_t word = state_->table.word(node).load(std::memory_order_acquire);
  if ((word & kLook) != 0) return std::nullopt;
  return word & kVersion;
}

std::string FileIndex::link_target(NodeId node) const {
  std::lock_guard lock(state_->table.stripe(node).mutex);
  const Node& link = state_->table.node(node);
  return link.extra ? link.extra->target : std::string();
}

base::Result<base::Digest> FileIndex::digest(NodeId node) { return state_->contents.digest(node); }

base::Result<FileIndex::Derived> FileIndex::derive(NodeId node, std::uint8_t slot, const Make& make) {
  return state_->contents.derive(node, slot, make);
}

std::uint64_t FileIndex::epoch() const { return state_->tracker.epoch(); }

Snapshot FileIndex::snapshot(const Trail& trail, std::uint64_t since) {
  Snapshot out;
  out.epoch = epoch();  // before the words: a mark that comes meanwhile makes it old
  // When no epoch is left that fits a version, nothing tells what is newer.
  const bool spent = out.epoch >= kVersion;
  Trail nodes = trail;
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  out.items.reserve(nodes.size());
  for (NodeId node : nodes) {
    std::uint32_t word = state_->table.word(node).load(std::memory_order_acquire);
    std::uint32_t version = word & kVersion;
    if ((word & kLook) != 0) out.epoch = 0;
    if (spent || version > since) {
      version = kNever;
      out.epoch = 0;
    }
    out.items.push_back({node, version});
  }
  return out;
}

bool FileIndex::valid(Snapshot& snapshot) {
  const std::uint64_t now = epoch();
  if (snapshot.epoch == now) return true;
  bool by_stat = false;
  for (const Snapshot::Item& item : snapshot.items) {
    std::uint32_t word = state_->table.word(item.node).load(std::memory_order_acquire);
    if ((word & kLook) != 0) {
      word = state_->tracker.look(item.node);
      by_stat = by_stat || (word & kLook) != 0;
    }
    if ((word & kVersion) != item.version) return false;
  }
  snapshot.epoch = by_stat ? 0 : now;
  return true;
}

NodeId FileIndex::touched_since(const Trail& trail, base::Nanoseconds when) {
  for (NodeId node : trail) {
    base::FileStat now = stat(node);
    if (now.type == base::FileType::absent || now.type == base::FileType::directory) continue;
    if (std::max(now.mtime_ns, now.ctime_ns) >= when.count()) return node;
  }
  return kNoNode;
}

FileIndex::Counters FileIndex::counters() const {
  Tracker::Totals& totals = state_->tracker.totals();
  return {state_->table.size(), totals.watches.load(), totals.events.load(), totals.overflows.load(),
          totals.stats.load(),  totals.reads.load(),   totals.refused.load()};
}

}  // namespace inputs
