#include "inputs/identifiers.h"

#include <cstring>
#include <functional>

namespace inputs {
namespace {

// In the order of KnownName.
constexpr const char* kKnownNames[] = {
    "defined",
    "__VA_ARGS__",
    "__VA_OPT__",
    "_Pragma",
    "true",
    "false",
    "and",
    "or",
    "not",
    "xor",
    "bitand",
    "bitor",
    "compl",
    "not_eq",
    "and_eq",
    "or_eq",
    "xor_eq",
    "__has_include",
    "__has_include_next",
    "__has_embed",
    "__FILE__",
    "__FILE_NAME__",
    "__BASE_FILE__",
    "__LINE__",
    "__COUNTER__",
    "__INCLUDE_LEVEL__",
    "__DATE__",
    "__TIME__",
    "__TIMESTAMP__",
};
static_assert(sizeof kKnownNames / sizeof kKnownNames[0] == kNameLimit - 1);

}  // namespace

Identifiers::Identifiers() : chunks_(kChunks) {
  for (const char* name : kKnownNames) intern(name);
}

Identifiers::~Identifiers() {
  for (std::atomic<Chunk*>& chunk : chunks_) delete chunk.load();
}

Id Identifiers::intern(std::string_view name) {
  Shard& shard = shards_[std::hash<std::string_view>()(name) % kShards];
  std::lock_guard lock(shard.mutex);
  auto found = shard.ids.find(name);
  if (found != shard.ids.end()) return found->second;
  auto copy = std::make_unique<char[]>(name.size() + 1);
  std::memcpy(copy.get(), name.data(), name.size());
  std::string_view stored(copy.get(), name.size());
  shard.storage.push_back(std::move(copy));
  Id id = allocate(stored);
  shard.ids.emplace(stored, id);
  return id;
}

std::string_view Identifiers::name(Id id) const {
  return chunks_[id / kChunk].load(std::memory_order_acquire)->names[id % kChunk];
}

Id Identifiers::allocate(std::string_view stored) {
  std::lock_guard lock(grow_mutex_);
  Id id = size_.load(std::memory_order_relaxed);
  // Sixty-four million names would be an attack, not a program; the last number is then shared by all.
  if (id / kChunk >= kChunks) return static_cast<Id>(kChunks * kChunk - 1);
  std::atomic<Chunk*>& chunk = chunks_[id / kChunk];
  if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new Chunk, std::memory_order_release);
  chunk.load(std::memory_order_relaxed)->names[id % kChunk] = stored;
  size_.store(id + 1, std::memory_order_release);
  return id;
}

}  // namespace inputs
