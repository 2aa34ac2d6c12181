// An outcome as the cache and a cluster send it. What is read is written again and must be read as the same.
#include <cstdlib>
#include <string_view>

#include "cache/outcome_codec.h"

namespace {

bool same(const cache::Outcome& a, const cache::Outcome& b) {
  bool equal = a.exit_code == b.exit_code && a.out == b.out && a.err == b.err &&
               a.compile_us == b.compile_us && a.files.size() == b.files.size();
  for (std::size_t i = 0; equal && i < a.files.size(); ++i) {
    equal = a.files[i].path == b.files[i].path && a.files[i].digest == b.files[i].digest &&
            a.files[i].executable == b.files[i].executable;
  }
  return equal;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  base::Result<cache::DecodedOutcome> first =
      cache::decode(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!first) return 0;
  for (const cache::OutputFile& file : first->outcome.files) {
    if (file.path.empty() || file.path.front() == '/' || file.digest.size < 0) std::abort();
  }
  base::Result<cache::DecodedOutcome> second = cache::decode(cache::encode(first->outcome, size));
  if (!second || !same(first->outcome, second->outcome)) std::abort();
  if (second->out_digest || second->err_digest) std::abort();
  // Text that is longer than the limit is named by its digest.
  base::Result<cache::DecodedOutcome> apart = cache::decode(cache::encode(first->outcome, 0));
  if (!apart || apart->out_digest.has_value() == first->outcome.out.empty()) std::abort();
  return 0;
}
