// A result as an engine or a cache sends it. Whatever is used of it must be what its digest names, and the
// answer, written and read again, must be the same.
#include <cstdlib>
#include <string>
#include <string_view>

#include "cache/outcome_codec.h"
#include "remote/answer.h"
#include "wire/reapi.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  build::bazel::remote::execution::v2::ActionResult message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return 0;
  base::Result<remote::AnswerDraft> draft = remote::read_result(message);
  base::Result<remote::AnswerDraft> entry = remote::read_entry(message);
  if (!draft) {
    if (entry) std::abort();
    return 0;
  }
  for (const auto& [digest, bytes] : draft->answer.contents) {
    if (base::digest_of(bytes) != digest) std::abort();
  }
  for (const cache::OutputFile& file : draft->answer.outcome.files) {
    if (file.path.empty() || file.path.front() == '/' || file.digest.size < 0) std::abort();
  }
  if (entry && (entry->answer.outcome.exit_code != 0 || entry->answer.outcome.files.empty())) std::abort();
  remote::Contents contents;
  for (const base::Digest& digest : remote::wanted(*draft)) {
    if (digest.size == 0) std::abort();
    contents.emplace(digest, "text");
  }
  std::optional<remote::Answer> answer = remote::finish(*draft, contents);
  if (!answer) std::abort();
  if (!contents.empty() && remote::finish(*draft, {})) std::abort();
  build::bazel::remote::execution::v2::ActionResult again;
  cache::to_message(answer->outcome, size + 4, again);
  base::Result<remote::AnswerDraft> back = remote::read_result(again);
  if (!back || back->answer.outcome.out != answer->outcome.out) std::abort();
  if (back->answer.outcome.files.size() != answer->outcome.files.size()) std::abort();
  return 0;
}
