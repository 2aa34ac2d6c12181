#include "inputs/node_table.h"

#include <cstring>

namespace inputs {
namespace {

constexpr std::size_t kNameBlock = 64 * 1024;  // many names, so that few are wasted at a block's end

}  // namespace

std::size_t NodeTable::KeyHash::operator()(const Key& key) const {
  std::size_t hash = std::hash<std::string_view>{}(key.name);
  return (hash ^ key.parent) * 0x9e3779b97f4a7c15ULL >> 7;
}

NodeTable::NodeTable() { allocate(kNoNode, "", 0); }

NodeTable::~NodeTable() {
  for (std::atomic<Chunk*>& chunk : chunks_) delete chunk.load();
}

NodeId NodeTable::lookup(NodeId parent, std::string_view name) const {
  Key key{parent, name};
  const Shard& shard = shards_[KeyHash{}(key) % kShards];
  std::shared_lock lock(shard.mutex);
  auto found = shard.nodes.find(key);
  return found == shard.nodes.end() ? kNoNode : found->second;
}

NodeId NodeTable::intern(NodeId parent, std::string_view name) {
  if (NodeId known = lookup(parent, name); known != kNoNode) return known;
  Shard& shard = shards_[KeyHash{}(Key{parent, name}) % kShards];
  std::lock_guard lock(shard.mutex);
  if (auto found = shard.nodes.find(Key{parent, name}); found != shard.nodes.end()) return found->second;
  const char* kept = keep_name(shard, name);
  NodeId id = allocate(parent, kept, name.size());
  if (id != kNoNode) shard.nodes.emplace(Key{parent, std::string_view(kept, name.size())}, id);
  return id;
}

const char* NodeTable::keep_name(Shard& shard, std::string_view name) {
  if (shard.names_left < name.size()) {
    shard.names.push_back(std::make_unique<char[]>(kNameBlock));
    shard.names_left = kNameBlock;
  }
  if (name.empty()) return "";
  char* place = shard.names.back().get() + (kNameBlock - shard.names_left);
  std::memcpy(place, name.data(), name.size());
  shard.names_left -= name.size();
  return place;
}

NodeId NodeTable::allocate(NodeId parent, const char* name, std::size_t name_size) {
  std::lock_guard lock(grow_mutex_);
  NodeId id = size_.load(std::memory_order_relaxed);
  if (id >= kChunk * kChunks) return kNoNode;
  std::atomic<Chunk*>& slot = chunks_[id / kChunk];
  if (slot.load(std::memory_order_relaxed) == nullptr) slot.store(new Chunk, std::memory_order_release);
  Node& made = node(id);
  made.parent = parent;
  made.name = name;
  made.name_size = static_cast<std::uint32_t>(name_size);
  word(id).store(kLook, std::memory_order_relaxed);
  size_.store(id + 1, std::memory_order_release);
  // Last, so that who walks the children finds a whole node.
  if (parent != kNoNode) {
    std::atomic<NodeId>& first = node(parent).first_child;
    made.next_sibling = first.load(std::memory_order_relaxed);
    first.store(id, std::memory_order_release);
  }
  return id;
}

std::string NodeTable::path(NodeId id) const {
  if (id == kRoot) return "/";
  std::string out;
  (void)path(id, out);
  return out;
}

std::string_view NodeTable::path(NodeId id, std::string& buffer) const {
  if (id == kRoot) return "/";
  std::size_t size = 0;
  for (NodeId at = id; at != kRoot; at = node(at).parent) size += node(at).name_size + 1;
  const std::size_t whole = size;
  if (buffer.size() < whole) buffer.resize(whole);
  for (NodeId at = id; at != kRoot; at = node(at).parent) {
    std::string_view name = node(at).name_view();
    size -= name.size();
    std::memcpy(buffer.data() + size, name.data(), name.size());
    buffer[--size] = '/';
  }
  return std::string_view(buffer).substr(0, whole);
}

}  // namespace inputs
