// The bytes of a blob on their way out, piece by piece, so that no large file is ever held whole. What is
// read is checked against the digest on the way.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "remote/blobs.h"
#include "remote/failure.h"

namespace remote {

// Smaller blobs are not worth compressing.
inline constexpr std::size_t kLeastCompressed = 1 << 10;
// Compiler inputs gain little from higher levels.
inline constexpr int kZstdLevel = 1;

// One pass over the bytes. One thread at a time. All failures are `local`: the file cannot be read or no
// longer has the digest.
class Pieces {
 public:
  virtual ~Pieces() = default;

  // At least one byte and at most `most`, or nothing at the end. A blob whose bytes turn out not to be those
  // of the digest fails in place of its last piece, so never all of it is handed out.
  virtual Remote<std::string> next(std::size_t most) = 0;

  // Nothing comes after what next() gave.
  virtual bool done() const = 0;
};

// `source` outlives it. `zstd`: the bytes of a frame that holds the blob, the same ones in each pass.
std::unique_ptr<Pieces> make_pieces(const Source& source, bool zstd);

// The whole blob, for those that are small.
Remote<std::string> read_whole(const Source& source);

// Whether compressing it would make it much smaller, judged by its beginning. False when it cannot be read.
bool is_compressible(const Source& source);

}  // namespace remote
