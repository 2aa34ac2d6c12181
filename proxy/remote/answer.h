// An ActionResult from an engine or a cache, made into an Answer. What it says is believed only as far as it
// can be checked here: digests that cannot be, contents that are not what their digest names, and results
// that no compile makes are found out before anything is fetched. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "remote/backend.h"

namespace build::bazel::remote::execution::v2 {
class ActionResult;
}

namespace remote {

// What a server says of itself or of a result is kept up to this many bytes.
inline constexpr std::size_t kLongestRemark = 4096;

// An answer some of whose text must still be fetched.
struct AnswerDraft {
  Answer answer;
  std::optional<base::Digest> out_digest{};  // set: outcome.out is this blob
  std::optional<base::Digest> err_digest{};
};

// What an execution came to, with any exit code. `invalid` when it is malformed, or holds directories, links
// or more than a compile can have written.
base::Result<AnswerDraft> read_result(const build::bazel::remote::execution::v2::ActionResult& message);

// An entry of an action cache. `invalid`, too, when it is of a failure or names no output file; such entries
// are a miss.
base::Result<AnswerDraft> read_entry(const build::bazel::remote::execution::v2::ActionResult& message);

// The digests that finish() needs.
std::vector<base::Digest> wanted(const AnswerDraft& draft);

// The answer with its text out of `contents`; nothing when a text is not there.
std::optional<Answer> finish(AnswerDraft draft, const Contents& contents);

}  // namespace remote
