#include "cache/index.h"

#include <algorithm>
#include <unordered_set>

namespace cache {
namespace {

constexpr std::int64_t kBlock = 4096;
constexpr std::int64_t kHour = 3'600'000'000'000;

}  // namespace

std::int64_t Index::disk_bytes(std::int64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

Index::Shard& Index::shard_of(EntryKind kind, int shard) {
  return shards_[kind == EntryKind::blob ? 0 : 1][static_cast<std::size_t>(shard)];
}

void Index::count(EntryKind kind, std::int64_t bytes, int entries) {
  totals_.bytes += bytes;
  (kind == EntryKind::blob ? totals_.blobs : totals_.outcomes) += entries;
}

void Index::put(EntryKind kind, const Hash& hash, std::int64_t size, std::int64_t last_use_ns) {
  std::lock_guard lock(mutex_);
  auto [place, fresh] = shard_of(kind, hash[0]).try_emplace(hash);
  count(kind, disk_bytes(size) - place->second.bytes, fresh ? 1 : 0);
  bool taken = place->second.taken;
  place->second = {disk_bytes(size), last_use_ns, last_use_ns, ++serial_, taken};
}

void Index::remove(EntryKind kind, const Hash& hash) {
  std::lock_guard lock(mutex_);
  Shard& shard = shard_of(kind, hash[0]);
  auto found = shard.find(hash);
  if (found == shard.end()) return;
  count(kind, -found->second.bytes, -1);
  shard.erase(found);
}

bool Index::use(EntryKind kind, const Hash& hash, std::int64_t now_ns, std::int64_t size,
                std::int64_t file_mtime_ns) {
  std::lock_guard lock(mutex_);
  auto [place, fresh] = shard_of(kind, hash[0]).try_emplace(hash);
  Entry& entry = place->second;
  if (fresh) {
    entry.bytes = disk_bytes(size);
    entry.stamped_ns = file_mtime_ns;
    entry.put_at = ++serial_;
    count(kind, entry.bytes, 1);
  }
  entry.last_use_ns = std::max(entry.last_use_ns, now_ns);
  if (now_ns - entry.stamped_ns < kHour) return false;
  entry.stamped_ns = now_ns;
  return true;
}

std::uint64_t Index::begin_listing() {
  std::lock_guard lock(mutex_);
  return serial_;
}

void Index::set_shard(EntryKind kind, int shard_number, const std::vector<Listed>& listing,
                      std::int64_t now_ns, std::uint64_t begun) {
  std::unordered_set<Hash, HashOfHash> seen;
  seen.reserve(listing.size());
  std::lock_guard lock(mutex_);
  Shard& shard = shard_of(kind, shard_number);
  for (const Listed& file : listing) {
    std::optional<Hash> hash = file.directory ? std::nullopt : Layout::parse(shard_number, file.name);
    if (!hash) continue;
    seen.insert(*hash);
    auto [place, fresh] = shard.try_emplace(*hash);
    Entry& entry = place->second;
    count(kind, disk_bytes(file.size) - entry.bytes, fresh ? 1 : 0);
    entry.bytes = disk_bytes(file.size);
    // A stamp in the future (a clock was set back) would keep its entry for ever: it counts as used when
    // first seen.
    bool known = file.mtime_ns <= now_ns;
    if (known || fresh) entry.stamped_ns = std::min(file.mtime_ns, now_ns);
    entry.last_use_ns = std::max(std::min(entry.last_use_ns, now_ns), entry.stamped_ns);
  }
  for (auto place = shard.begin(); place != shard.end();) {
    if (seen.contains(place->first) || place->second.put_at > begun) {
      ++place;
      continue;
    }
    count(kind, -place->second.bytes, -1);
    place = shard.erase(place);
  }
}

std::vector<IndexItem> Index::take_old_blobs(std::int64_t size, std::int64_t before_ns, std::size_t limit) {
  std::vector<IndexItem> items;
  std::lock_guard lock(mutex_);
  for (Shard& shard : shards_[0]) {
    for (auto& [hash, entry] : shard) {
      if (items.size() >= limit) return items;
      if (entry.taken || entry.bytes < size || entry.last_use_ns >= before_ns) continue;
      entry.taken = true;
      items.push_back({EntryKind::blob, hash, entry.bytes, entry.last_use_ns});
    }
  }
  return items;
}

std::vector<IndexItem> Index::oldest_beyond(std::int64_t target) const {
  std::vector<IndexItem> items;
  std::int64_t total;
  {
    std::lock_guard lock(mutex_);
    total = totals_.bytes;
    if (total <= target) return items;
    items.reserve(static_cast<std::size_t>(totals_.blobs + totals_.outcomes));
    for (const Shard& shard : shards_[0]) {
      for (const auto& [hash, entry] : shard) {
        items.push_back({EntryKind::blob, hash, entry.bytes, entry.last_use_ns});
      }
    }
    for (const Shard& shard : shards_[1]) {
      for (const auto& [hash, entry] : shard) {
        items.push_back({EntryKind::outcome, hash, entry.bytes, entry.last_use_ns});
      }
    }
  }
  std::sort(items.begin(), items.end(), [](const IndexItem& a, const IndexItem& b) {
    if (a.last_use_ns != b.last_use_ns) return a.last_use_ns < b.last_use_ns;
    if (a.kind != b.kind) return a.kind == EntryKind::outcome;
    return a.hash < b.hash;
  });
  std::size_t count = 0;
  while (count < items.size() && total > target) total -= items[count++].bytes;
  items.resize(count);
  return items;
}

IndexTotals Index::totals() const {
  std::lock_guard lock(mutex_);
  return totals_;
}

void Index::clear() {
  std::lock_guard lock(mutex_);
  for (auto& kind : shards_) {
    for (Shard& shard : kind) shard.clear();
  }
  totals_ = {};
}

}  // namespace cache
