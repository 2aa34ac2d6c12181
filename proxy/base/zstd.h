// Zstandard frames in memory. Any thread; working memory is on the heap, so small stacks are enough.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

// The binary logarithm of the largest window a frame may ask for: a hostile frame could otherwise make us
// allocate gigabytes.
inline constexpr int kZstdWindowLogLimit = 27;

// One frame that tells the size of its content. `level` 1 to 19; 1 to 3 are meant for compiler outputs.
// An error (`io`) only when memory is exhausted.
Result<std::string> zstd_compress(std::string_view bytes, int level);

// The content of one or more frames, whether or not they tell their size. `invalid` when the bytes are no
// whole frames or the content is larger than `limit`: then no more than about `limit` bytes were ever used.
Result<std::string> zstd_decompress(std::string_view frames, std::size_t limit);

}  // namespace base
