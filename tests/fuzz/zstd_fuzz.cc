// Zstandard frames from outside keep to the limit, and our own come back as they were, whole or not at all.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/zstd.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  constexpr std::size_t kLimit = 64 * 1024;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  base::Result<std::string> content = base::zstd_decompress(bytes, kLimit);
  if (content && content->size() > kLimit) std::abort();

  base::Result<std::string> frame = base::zstd_compress(bytes, 1);
  if (!frame) std::abort();
  base::Result<std::string> again = base::zstd_decompress(*frame, size);
  if (!again || *again != bytes) std::abort();
  if (size > 0 && base::zstd_decompress(*frame, size - 1)) std::abort();
  frame->pop_back();
  if (base::zstd_decompress(*frame, kLimit)) std::abort();
  return 0;
}
