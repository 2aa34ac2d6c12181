// Where things stand in the folder:
//
//   v1/format           "goma cache 1": whose folder this is
//   v1/ac/ab/cdef...    the outcome of action abcdef..., 62 hex digits
//   v1/cas/ab/cdef...   the blob abcdef...
//   v1/scratch/N/       what one daemon is writing just now; N.lock beside it is locked while that daemon
//   lives v1/evict.lock       locked by the daemon that is evicting
//
// No name depends on where the folder is, so it can be moved, packed and restored. Text only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "cache/entry_file.h"

namespace cache {

using Hash = std::array<std::uint8_t, 32>;

inline constexpr std::string_view kFormatText = "goma cache 1\n";
inline constexpr int kShards = 256;

class Layout {
 public:
  Layout() = default;
  // `root` is the versioned folder itself.
  explicit Layout(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string format_file() const { return root_ + "/format"; }
  std::string scratch_root() const { return root_ + "/scratch"; }
  std::string evict_lock() const { return root_ + "/evict.lock"; }
  std::string shard(EntryKind kind, int shard) const;
  std::string entry(EntryKind kind, const Hash& hash) const;

  // The hash that a file name in a shard stands for; nothing for a foreign file.
  static std::optional<Hash> parse(int shard, std::string_view name);

 private:
  std::string root_;
};

}  // namespace cache
