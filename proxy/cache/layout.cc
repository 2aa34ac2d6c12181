#include "cache/layout.h"

namespace cache {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

std::string_view kind_name(EntryKind kind) { return kind == EntryKind::blob ? "/cas/" : "/ac/"; }

}  // namespace

std::string Layout::shard(EntryKind kind, int shard) const {
  std::string path = root_;
  path += kind_name(kind);
  path += kDigits[shard >> 4 & 15];
  path += kDigits[shard & 15];
  return path;
}

std::string Layout::entry(EntryKind kind, const Hash& hash) const {
  std::string path = shard(kind, hash[0]);
  path.reserve(path.size() + 63);
  path += '/';
  for (std::size_t i = 1; i < hash.size(); ++i) {
    path += kDigits[hash[i] >> 4];
    path += kDigits[hash[i] & 15];
  }
  return path;
}

std::optional<Hash> Layout::parse(int shard, std::string_view name) {
  std::string hex;
  hex += kDigits[shard >> 4 & 15];
  hex += kDigits[shard & 15];
  hex += name;
  base::Result<base::Digest> digest = base::parse_digest(hex, 0);
  if (!digest) return std::nullopt;
  return digest->hash;
}

}  // namespace cache
