// The places of the file system that were ever asked for, as a tree: (parent, name) pairs, each with one
// number. Nodes are never removed, so a number and a reference to a node stay good as long as the table.
//
// A node's version word stands apart from the node, in one dense array per chunk: to check a thousand nodes
// is to read a few kilobytes. The word holds the version and the mark kLook, "do not trust this without
// looking". This file knows nothing of when a word changes.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "inputs/node_id.h"

namespace inputs {

// The parts of a version word.
inline constexpr std::uint32_t kLook = 0x80000000;
inline constexpr std::uint32_t kVersion = 0x7fffffff;

// What a node is, small and aligned so as to be read without a lock.
struct alignas(2) Shape {
  base::FileType type = base::FileType::absent;
  bool broken = false;  // lstat failed other than by "no such file"
};
static_assert(std::atomic<Shape>::is_always_lock_free);

// What few nodes have: a link's target, a read file's content.
struct Extra {
  std::string target;
  std::uint32_t version = 0;  // of the node, when `digest` was made
  bool digest_known = false;
  base::Digest digest;
  std::vector<std::shared_ptr<const void>> derived;  // by slot, made of the content with this digest
};

// The last look at a node.
struct Sight {
  base::FileStat stat;
  std::int64_t wall = 0;   // time of day just before the stat, or before a later read that found it unchanged
  std::uint32_t mark = 0;  // the epoch of the last notice that it may have changed
  std::uint32_t round = 0;  // of the refresh in which the stat was made
  bool seen = false;
  bool stale = true;           // marked since, or never seen
  bool by_stat = false;        // nobody tells of its changes: good for one round only
  bool content_noted = false;  // the notice said that the content was written
  bool looking = false;        // a thread makes the stat
  bool reading = false;        // a thread reads the content
};

struct Node {
  // Constant once the node can be found.
  NodeId parent = kNoNode;
  NodeId next_sibling = kNoNode;
  const char* name = nullptr;
  std::uint32_t name_size = 0;
  // Synchronised by themselves.
  std::atomic<NodeId> first_child{kNoNode};
  std::atomic<Shape> shape{};
  // Guarded by the node's stripe.
  std::int32_t watch = -1;             // of a directory; -1: none
  std::uint32_t watch_generation = 0;  // in which `watch` was decided; 0: never
  Sight sight;
  std::unique_ptr<Extra> extra;

  std::string_view name_view() const { return {name, name_size}; }
};

// One lock for many nodes. Held for a few instructions, never across a system call.
struct alignas(64) Stripe {
  std::mutex mutex;
  std::condition_variable changed;  // some node of this stripe is no longer `looking` or `reading`
};

// Any thread.
class NodeTable {
 public:
  static constexpr NodeId kRoot = 0;
  static constexpr std::size_t kMaxName = 255;  // no file system that we know of has longer ones

  NodeTable();
  ~NodeTable();
  NodeTable(const NodeTable&) = delete;
  NodeTable& operator=(const NodeTable&) = delete;

  // The node, made if it is new (then with the word kLook). kNoNode when the table is full.
  // Requires: a name of at most kMaxName bytes.
  NodeId intern(NodeId parent, std::string_view name);
  // The node, or kNoNode.
  NodeId lookup(NodeId parent, std::string_view name) const;

  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  Node& node(NodeId id) { return chunk(id).nodes[id % kChunk]; }
  const Node& node(NodeId id) const { return chunk(id).nodes[id % kChunk]; }
  std::atomic<std::uint32_t>& word(NodeId id) { return chunk(id).words[id % kChunk]; }
  Stripe& stripe(NodeId id) { return stripes_[id % kStripes]; }

  std::string path(NodeId id) const;
  // The same in the caller's buffer, for who asks for hundreds; good until the buffer is used again.
  std::string_view path(NodeId id, std::string& buffer) const;

 private:
  static constexpr std::uint32_t kChunk = 1024;
  static constexpr std::uint32_t kChunks = 16384;
  static constexpr std::size_t kStripes = 64;
  static constexpr std::size_t kShards = 32;

  struct Chunk {
    std::array<std::atomic<std::uint32_t>, kChunk> words;
    std::array<Node, kChunk> nodes;
  };
  struct Key {
    NodeId parent;
    std::string_view name;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct alignas(64) Shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<Key, NodeId, KeyHash> nodes;  // guarded by mutex
    std::vector<std::unique_ptr<char[]>> names;      // guarded by mutex; what the keys point into
    std::size_t names_left = 0;                      // guarded by mutex
  };

  Chunk& chunk(NodeId id) const { return *chunks_[id / kChunk].load(std::memory_order_acquire); }
  NodeId allocate(NodeId parent, const char* name, std::size_t name_size);
  static const char* keep_name(Shard& shard, std::string_view name);

  std::array<std::atomic<Chunk*>, kChunks> chunks_{};
  std::array<Stripe, kStripes> stripes_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint32_t> size_{0};
  std::mutex grow_mutex_;  // one allocation at a time
};

}  // namespace inputs
