#include "base/zstd_stream.h"

#include <zstd.h>

#include <cerrno>

#include "base/zstd.h"

namespace base {
namespace {

// How much `out` grows at a time.
constexpr std::size_t kStep = 64 << 10;

ZSTD_CCtx* encoder(void* context) { return static_cast<ZSTD_CCtx*>(context); }
ZSTD_DCtx* decoder(void* context) { return static_cast<ZSTD_DCtx*>(context); }

}  // namespace

ZstdEncoder::ZstdEncoder(std::uint64_t size, int level) : context_(ZSTD_createCCtx()), left_(size) {
  if (context_ == nullptr) return;
  ZSTD_CCtx_setParameter(encoder(context_), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setPledgedSrcSize(encoder(context_), size);
}

ZstdEncoder::~ZstdEncoder() { ZSTD_freeCCtx(encoder(context_)); }

Result<void> ZstdEncoder::add(std::string_view bytes, bool last, std::string& out) {
  if (context_ == nullptr) return io_error("zstd", ENOMEM);
  // The library does not always notice.
  bool wrong = bytes.size() > left_ || (last && bytes.size() < left_);
  if (wrong) return invalid("zstd: content of another size than was told");
  left_ -= bytes.size();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    std::size_t begin = out.size();
    out.resize(begin + kStep);
    ZSTD_outBuffer buffer{out.data() + begin, kStep, 0};
    std::size_t left =
        ZSTD_compressStream2(encoder(context_), &buffer, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    out.resize(begin + buffer.pos);
    if (ZSTD_isError(left)) return Error{ErrorKind::io, std::string("zstd: ") + ZSTD_getErrorName(left)};
    if (last ? left == 0 : in.pos == in.size) return {};
  }
}

ZstdDecoder::ZstdDecoder(std::size_t limit) : context_(ZSTD_createDCtx()), left_(limit) {
  if (context_ != nullptr)
    ZSTD_DCtx_setParameter(decoder(context_), ZSTD_d_windowLogMax, kZstdWindowLogLimit);
}

ZstdDecoder::~ZstdDecoder() { ZSTD_freeDCtx(decoder(context_)); }

Result<void> ZstdDecoder::add(std::string_view bytes, std::string& out) {
  if (context_ == nullptr) return io_error("zstd", ENOMEM);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  bool more = true;  // the decoder may hold content although it has read all
  while (in.pos < in.size || more) {
    std::size_t begin = out.size();
    out.resize(begin + kStep);
    ZSTD_outBuffer buffer{out.data() + begin, kStep, 0};
    std::size_t left = ZSTD_decompressStream(decoder(context_), &buffer, &in);
    out.resize(begin + buffer.pos);
    if (ZSTD_isError(left)) return invalid(std::string("zstd: ") + ZSTD_getErrorName(left));
    if (buffer.pos > left_) return invalid("zstd: content over the limit");
    left_ -= buffer.pos;
    whole_ = left == 0;
    more = buffer.pos == kStep;
  }
  return {};
}

}  // namespace base
