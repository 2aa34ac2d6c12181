// Zstandard piece by piece, for content that is not to be held in memory compressed and plain at once. One
// thread at a time; working memory is on the heap, so small stacks are enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

// Makes one frame that tells the size of its content.
class ZstdEncoder {
 public:
  // `size` of the whole content; `level` 1 to 3, whose windows any decoder accepts.
  ZstdEncoder(std::uint64_t size, int level);
  ~ZstdEncoder();
  ZstdEncoder(const ZstdEncoder&) = delete;
  ZstdEncoder& operator=(const ZstdEncoder&) = delete;

  // Appends what is ready to `out`; with `last`, everything to the end of the frame. `io` when memory is
  // exhausted, `invalid` when the content has not the size that was told.
  Result<void> add(std::string_view bytes, bool last, std::string& out);

 private:
  void* context_;
  std::uint64_t left_;  // of the content
};

// Reads one or more frames.
class ZstdDecoder {
 public:
  // Content over `limit` bytes is refused.
  explicit ZstdDecoder(std::size_t limit);
  ~ZstdDecoder();
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;

  // Appends the content to `out`. `invalid` when the bytes are no frames or the content is over the limit.
  Result<void> add(std::string_view bytes, std::string& out);

  // Nothing is missing: what was added ended with a frame.
  bool whole() const { return whole_; }

 private:
  void* context_;
  std::size_t left_;  // of the limit
  bool whole_ = true;
};

}  // namespace base
