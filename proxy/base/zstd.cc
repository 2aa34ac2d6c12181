#include "base/zstd.h"

#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace base {
namespace {

struct FreeDecoder {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using Decoder = std::unique_ptr<ZSTD_DCtx, FreeDecoder>;

// What to reserve for the content: what the first frame claims, but never more than the caller allows nor
// more than frames of this size could plausibly hold, since the claim is only a claim.
std::size_t first_capacity(std::string_view frames, std::size_t limit) {
  unsigned long long claimed = ZSTD_getFrameContentSize(frames.data(), frames.size());
  std::size_t plausible = frames.size() * 32 + 4096;
  if (claimed == ZSTD_CONTENTSIZE_UNKNOWN || claimed == ZSTD_CONTENTSIZE_ERROR)
    return std::min(plausible, limit);
  return static_cast<std::size_t>(std::min<unsigned long long>({claimed, plausible, limit}));
}

}  // namespace

Result<std::string> zstd_compress(std::string_view bytes, int level) {
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  std::size_t size = ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size)) return io_error("zstd", ENOMEM);
  frame.resize(size);
  return frame;
}

Result<std::string> zstd_decompress(std::string_view frames, std::size_t limit) {
  Decoder decoder(ZSTD_createDCtx());
  if (!decoder) return io_error("zstd", ENOMEM);
  ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, kZstdWindowLogLimit);

  std::string content(first_capacity(frames, limit), '\0');
  ZSTD_inBuffer in{frames.data(), frames.size(), 0};
  ZSTD_outBuffer out{content.data(), content.size(), 0};
  std::size_t left = 1;  // 0 after the last byte of a frame
  while (in.pos < in.size || left != 0) {
    if (out.pos == out.size && out.size < limit) {
      content.resize(std::min(limit, std::max<std::size_t>(content.size() * 2, 4096)));
      out.dst = content.data();
      out.size = content.size();
    }
    std::size_t in_before = in.pos;
    std::size_t out_before = out.pos;
    left = ZSTD_decompressStream(decoder.get(), &out, &in);
    if (ZSTD_isError(left)) return invalid(std::string("zstd: ") + ZSTD_getErrorName(left));
    bool stuck = in.pos == in_before && out.pos == out_before;
    if (stuck && left != 0) {
      return invalid(out.pos == limit && in.pos < in.size ? "zstd: content over the limit"
                                                          : "zstd: truncated");
    }
  }
  content.resize(out.pos);
  return content;
}

}  // namespace base
