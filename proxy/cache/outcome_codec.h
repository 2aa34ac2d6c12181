// An Outcome as the Remote Execution API writes it (ActionResult) and back, so that entries of the store, the
// HTTP cache and a cluster are the same bytes and can travel between them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "cache/outcome.h"

namespace build::bazel::remote::execution::v2 {
class ActionResult;
class Digest;
}  // namespace build::bazel::remote::execution::v2

namespace cache {

// Messages larger than this are kept as blobs of their own and named by digest.
inline constexpr std::size_t kLargestInlineText = 64 * 1024;

// An outcome some of whose text must still be fetched.
struct DecodedOutcome {
  Outcome outcome;
  std::optional<base::Digest> out_digest;  // set: outcome.out is this blob
  std::optional<base::Digest> err_digest;
};

// Writes everything. Text of `inline_limit` bytes or less is put in; longer text by its digest alone, and the
// caller keeps the blob. Files are written sorted by path.
void to_message(const Outcome& outcome, std::size_t inline_limit,
                build::bazel::remote::execution::v2::ActionResult& message);

// `invalid` when a digest is malformed, a path is empty, absolute or there twice, or the result holds
// directories or links, which no compile makes.
base::Result<DecodedOutcome> from_message(const build::bazel::remote::execution::v2::ActionResult& message);

std::string encode(const Outcome& outcome, std::size_t inline_limit = kLargestInlineText);
base::Result<DecodedOutcome> decode(std::string_view bytes);

void set_digest(const base::Digest& digest, build::bazel::remote::execution::v2::Digest& message);
base::Result<base::Digest> get_digest(const build::bazel::remote::execution::v2::Digest& message);

}  // namespace cache
