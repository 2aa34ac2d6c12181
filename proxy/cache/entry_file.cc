#include "cache/entry_file.h"

#include <cstring>

#include "base/zstd.h"

namespace cache {
namespace {

constexpr std::string_view kMagic = "gomakept";
constexpr char kFormat = 1;
constexpr std::size_t kCheckedPart = 64;

void put_u64(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

std::int64_t get_u64(std::string_view bytes, std::size_t offset) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[offset + static_cast<std::size_t>(i)]);
  }
  return static_cast<std::int64_t>(value);
}

std::string_view hash_bytes(const base::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.hash.data()), digest.hash.size()};
}

// The SHA-256 that ends a trailer. `content` is empty for blobs.
base::Digest check_of(std::string_view content, std::string_view trailer_start) {
  base::Hasher hasher;
  hasher.update(content);
  hasher.update(trailer_start);
  return hasher.finish();
}

std::string trailer_of(const Trailer& trailer, std::string_view checked_content) {
  std::string bytes(kMagic);
  bytes += kFormat;
  bytes += static_cast<char>(trailer.kind);
  bytes += static_cast<char>(trailer.encoding);
  bytes.append(5, '\0');
  put_u64(bytes, static_cast<std::uint64_t>(trailer.name.size));
  put_u64(bytes, static_cast<std::uint64_t>(trailer.stored_size));
  bytes += hash_bytes(trailer.name);
  bytes += hash_bytes(check_of(checked_content, bytes));
  return bytes;
}

base::Error damaged(const char* how) { return base::invalid(std::string("a damaged entry: ") + how); }

base::Result<Trailer> parse(std::string_view file_end) {
  if (file_end.size() < kTrailerSize) return damaged("truncated");
  std::string_view bytes = file_end.substr(file_end.size() - kTrailerSize);
  if (!bytes.starts_with(kMagic) || bytes[8] != kFormat) return damaged("no trailer");
  if (bytes.substr(11, 5) != std::string_view("\0\0\0\0\0", 5)) return damaged("unknown fields");
  Trailer trailer;
  if (bytes[9] != 1 && bytes[9] != 2) return damaged("unknown kind");
  trailer.kind = static_cast<EntryKind>(bytes[9]);
  if (bytes[10] != 0 && bytes[10] != 1) return damaged("unknown encoding");
  trailer.encoding = static_cast<Encoding>(bytes[10]);
  trailer.name.size = get_u64(bytes, 16);
  trailer.stored_size = get_u64(bytes, 24);
  std::memcpy(trailer.name.hash.data(), bytes.data() + 32, 32);
  if (trailer.name.size < 0 || trailer.stored_size < 0) return damaged("sizes");
  return trailer;
}

bool check_matches(std::string_view checked_content, std::string_view file_end) {
  std::string_view bytes = file_end.substr(file_end.size() - kTrailerSize);
  return hash_bytes(check_of(checked_content, bytes.substr(0, kCheckedPart))) == bytes.substr(kCheckedPart);
}

}  // namespace

std::string blob_trailer(const base::Digest& blob) {
  return trailer_of({EntryKind::blob, Encoding::raw, blob, blob.size}, {});
}

std::string seal_blob(const base::Digest& blob, std::string_view content) {
  return std::string(content) + blob_trailer(blob);
}

std::string seal_outcome(const base::Digest& action, std::string_view content) {
  Trailer trailer{EntryKind::outcome, Encoding::raw, action, static_cast<std::int64_t>(content.size())};
  trailer.name.size = trailer.stored_size;
  return std::string(content) + trailer_of(trailer, content);
}

base::Result<std::string> seal_compressed(const base::Digest& blob, std::string_view content, int level) {
  base::Result<std::string> frame = base::zstd_compress(content, level);
  if (!frame) return frame;
  if (frame->size() > content.size() - content.size() / 8) return std::string();
  frame->append(
      trailer_of({EntryKind::blob, Encoding::zstd, blob, static_cast<std::int64_t>(frame->size())}, {}));
  return frame;
}

base::Result<Trailer> read_trailer(std::string_view file_end) {
  base::Result<Trailer> trailer = parse(file_end);
  if (trailer && trailer->kind == EntryKind::blob && !check_matches({}, file_end)) return damaged("trailer");
  return trailer;
}

base::Result<std::string> open_blob(const base::Digest& blob, std::string file) {
  base::Result<Trailer> trailer = read_trailer(file);
  if (!trailer) return trailer.error();
  if (trailer->kind != EntryKind::blob || trailer->name != blob) return damaged("another blob's bytes");
  std::size_t stored = file.size() - kTrailerSize;
  if (static_cast<std::size_t>(trailer->stored_size) != stored) return damaged("size");
  if (trailer->encoding == Encoding::zstd) {
    base::Result<std::string> content =
        base::zstd_decompress(std::string_view(file).substr(0, stored), static_cast<std::size_t>(blob.size));
    if (!content) return damaged("frame");
    file = std::move(*content);
  } else {
    file.resize(stored);
  }
  if (base::digest_of(file) != blob) return damaged("content");
  return file;
}

base::Result<std::string> open_outcome(const base::Digest& action, std::string file) {
  base::Result<Trailer> trailer = parse(file);
  if (!trailer) return trailer.error();
  std::size_t stored = file.size() - kTrailerSize;
  if (trailer->kind != EntryKind::outcome || trailer->name.hash != action.hash) return damaged("another key");
  bool whole = static_cast<std::size_t>(trailer->stored_size) == stored &&
               trailer->name.size == trailer->stored_size && trailer->encoding == Encoding::raw &&
               check_matches(std::string_view(file).substr(0, stored), file);
  if (!whole) return damaged("outcome");
  file.resize(stored);
  return file;
}

}  // namespace cache
