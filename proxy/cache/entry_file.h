// What one file of the store holds, so that each describes itself: the bytes, then a trailer of 96 bytes. The
// trailer stands at the end so that the bytes can share disk blocks with the compiler's output, and so that
// a torn write, which loses the end first, loses the trailer.
//
//   offset size
//        0    8  magic "gomakept"
//        8    1  format, 1
//        9    1  kind: 1 blob, 2 outcome
//       10    1  encoding: 0 raw, 1 zstd
//       11    5  zero
//       16    8  size of the content, little endian
//       24    8  size of the bytes before the trailer
//       32   32  the SHA-256 that names the file: of a blob its content's, of an outcome its action's
//       64   32  SHA-256 over the bytes (of an outcome) and the first 64 bytes of the trailer
//
// A blob's content is checked by its name when it is opened, so the last field leaves its bytes out: hashing
// them twice would double the cost of a hit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace cache {

enum class EntryKind : std::uint8_t { blob = 1, outcome = 2 };
enum class Encoding : std::uint8_t { raw = 0, zstd = 1 };

inline constexpr std::size_t kTrailerSize = 96;

// What the trailer says.
struct Trailer {
  EntryKind kind = EntryKind::blob;
  Encoding encoding = Encoding::raw;
  base::Digest name;             // of a blob: hash and size of the content. Of an outcome: the hash counts
  std::int64_t stored_size = 0;  // bytes before the trailer
};

// The trailer of a raw blob whose bytes are already in the file.
std::string blob_trailer(const base::Digest& blob);

// A whole file. `action` names an outcome; only its hash is kept.
std::string seal_blob(const base::Digest& blob, std::string_view content);
std::string seal_outcome(const base::Digest& action, std::string_view content);

// A whole file of the blob as one zstd frame; empty when that saves less than an eighth.
base::Result<std::string> seal_compressed(const base::Digest& blob, std::string_view content, int level);

// Checks everything but the content. `file_end` holds at least the trailer.
base::Result<Trailer> read_trailer(std::string_view file_end);

// The content, with every byte checked: `invalid` when the file is not exactly what was written under `name`.
base::Result<std::string> open_blob(const base::Digest& blob, std::string file);
base::Result<std::string> open_outcome(const base::Digest& action, std::string file);

}  // namespace cache
