#include "remote/answer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cache/outcome_codec.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

// Far above what a compiler writes. A result that promises more is wrong, and would be held in memory.
constexpr std::int64_t kLargestOutput = std::int64_t{1} << 30;
constexpr std::int64_t kLargestText = std::int64_t{64} << 20;

// No other content has size 0, and the empty content has no other size.
bool plausible(const base::Digest& digest, std::int64_t largest) {
  static const base::Digest empty = base::digest_of("");
  bool named_empty = digest.hash == empty.hash;
  return named_empty == (digest.size == 0) && digest.size <= largest;
}

bool is_object(std::string_view path) { return path.size() > 2 && path.substr(path.size() - 2) == ".o"; }

// Microseconds from one to the other; 0 when a clock is missing, wild or went back.
template <class Stamp>
std::uint64_t between_us(bool known, const Stamp& from, const Stamp& to) {
  constexpr std::int64_t kLongest = 30LL * 24 * 3600;
  std::int64_t seconds = 0;
  if (!known || __builtin_sub_overflow(to.seconds(), from.seconds(), &seconds)) return 0;
  if (seconds < 0 || seconds > kLongest) return 0;
  std::int64_t us = seconds * 1'000'000 + (std::int64_t{to.nanos()} - from.nanos()) / 1000;
  return us > 0 ? static_cast<std::uint64_t>(us) : 0;
}

void read_metadata(const reapi::ExecutedActionMetadata& metadata, Answer& answer) {
  answer.worker = metadata.worker().substr(0, kLongestRemark);
  bool started = metadata.has_execution_start_timestamp();
  answer.queue_us = between_us(started && metadata.has_queued_timestamp(), metadata.queued_timestamp(),
                               metadata.execution_start_timestamp());
  answer.execute_us =
      between_us(started && metadata.has_execution_completed_timestamp(),
                 metadata.execution_start_timestamp(), metadata.execution_completed_timestamp());
}

// Text that came along is taken only if it is what its digest names, where there is one.
void check_text(bool has_digest, const reapi::Digest& message, std::string& text,
                std::optional<base::Digest>& digest) {
  if (text.empty() || !has_digest) return;
  base::Result<base::Digest> named = cache::get_digest(message);
  if (!named || base::digest_of(text) == *named) return;
  text.clear();
  if (named->size != 0) digest = *named;
}

}  // namespace

base::Result<AnswerDraft> read_result(const reapi::ActionResult& message) {
  base::Result<cache::DecodedOutcome> decoded = cache::from_message(message);
  if (!decoded) return decoded.error();
  AnswerDraft draft;
  draft.out_digest = decoded->out_digest;
  draft.err_digest = decoded->err_digest;
  cache::Outcome& outcome = draft.answer.outcome;
  outcome = std::move(decoded->outcome);
  check_text(message.has_stdout_digest(), message.stdout_digest(), outcome.out, draft.out_digest);
  check_text(message.has_stderr_digest(), message.stderr_digest(), outcome.err, draft.err_digest);
  for (const base::Digest& digest : wanted(draft)) {
    if (!plausible(digest, kLargestText)) return base::invalid("a result with text of a size that cannot be");
  }
  for (const cache::OutputFile& file : outcome.files) {
    if (!plausible(file.digest, kLargestOutput)) {
      return base::invalid("a result with a file of a size that cannot be");
    }
  }
  for (const reapi::OutputFile& file : message.output_files()) {
    if (file.contents().empty()) continue;
    base::Digest digest = base::digest_of(file.contents());
    if (digest.hex() != file.digest().hash() || digest.size != file.digest().size_bytes()) continue;
    draft.answer.contents.insert_or_assign(digest, file.contents());
  }
  read_metadata(message.execution_metadata(), draft.answer);
  return draft;
}

base::Result<AnswerDraft> read_entry(const reapi::ActionResult& message) {
  base::Result<AnswerDraft> draft = read_result(message);
  if (!draft) return draft;
  const cache::Outcome& outcome = draft->answer.outcome;
  if (outcome.exit_code != 0) return base::invalid("an entry of a failed compile");
  if (outcome.files.empty()) return base::invalid("an entry without output files");
  for (const cache::OutputFile& file : outcome.files) {
    if (is_object(file.path) && file.digest.size == 0) return base::invalid("an entry with an empty object");
  }
  draft->answer.cached = true;
  return draft;
}

std::vector<base::Digest> wanted(const AnswerDraft& draft) {
  std::vector<base::Digest> digests;
  if (draft.out_digest) digests.push_back(*draft.out_digest);
  if (draft.err_digest && draft.err_digest != draft.out_digest) digests.push_back(*draft.err_digest);
  return digests;
}

std::optional<Answer> finish(AnswerDraft draft, const Contents& contents) {
  auto take = [&](const std::optional<base::Digest>& digest, std::string& text) {
    if (!digest) return true;
    auto found = contents.find(*digest);
    if (found == contents.end()) return false;
    text = found->second;
    return true;
  };
  if (!take(draft.out_digest, draft.answer.outcome.out)) return std::nullopt;
  if (!take(draft.err_digest, draft.answer.outcome.err)) return std::nullopt;
  return std::move(draft.answer);
}

}  // namespace remote
