#include "cache/outcome_codec.h"

#include <algorithm>

#include "wire/reapi.pb.h"

namespace cache {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

constexpr std::int64_t kMicroseconds = 1'000'000;

// In microseconds. A worker whose clock went back or is wild says nothing of use, which 0 stands for.
std::uint64_t time_us(std::int64_t seconds, std::int64_t nanos) {
  constexpr std::int64_t kLongest = 30LL * 24 * 3600;
  if (seconds < 0 || seconds >= kLongest) return 0;
  std::int64_t us = seconds * kMicroseconds + nanos / 1000;
  return us > 0 ? static_cast<std::uint64_t>(us) : 0;
}

// Processor time where it was told, else the time the worker's clock saw. The numbers may be any.
std::uint64_t compile_us(const reapi::ExecutedActionMetadata& metadata) {
  if (metadata.has_virtual_execution_duration()) {
    const auto& duration = metadata.virtual_execution_duration();
    return time_us(duration.seconds(), duration.nanos());
  }
  if (!metadata.has_execution_start_timestamp() || !metadata.has_execution_completed_timestamp()) return 0;
  const auto& start = metadata.execution_start_timestamp();
  const auto& end = metadata.execution_completed_timestamp();
  std::int64_t seconds = 0;
  if (__builtin_sub_overflow(end.seconds(), start.seconds(), &seconds)) return 0;
  return time_us(seconds, std::int64_t{end.nanos()} - start.nanos());
}

}  // namespace

void set_digest(const base::Digest& digest, reapi::Digest& message) {
  message.set_hash(digest.hex());
  message.set_size_bytes(digest.size);
}

base::Result<base::Digest> get_digest(const reapi::Digest& message) {
  return base::parse_digest(message.hash(), message.size_bytes());
}

void to_message(const Outcome& outcome, std::size_t inline_limit, reapi::ActionResult& message) {
  std::vector<OutputFile> files = outcome.files;
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  for (const OutputFile& file : files) {
    reapi::OutputFile& out = *message.add_output_files();
    out.set_path(file.path);
    set_digest(file.digest, *out.mutable_digest());
    out.set_is_executable(file.executable);
  }
  message.set_exit_code(outcome.exit_code);
  if (outcome.out.size() <= inline_limit) {
    message.set_stdout_raw(outcome.out);
  } else {
    set_digest(base::digest_of(outcome.out), *message.mutable_stdout_digest());
  }
  if (outcome.err.size() <= inline_limit) {
    message.set_stderr_raw(outcome.err);
  } else {
    set_digest(base::digest_of(outcome.err), *message.mutable_stderr_digest());
  }
  if (outcome.compile_us != 0) {
    auto& duration = *message.mutable_execution_metadata()->mutable_virtual_execution_duration();
    duration.set_seconds(static_cast<std::int64_t>(outcome.compile_us / kMicroseconds));
    duration.set_nanos(static_cast<std::int32_t>(outcome.compile_us % kMicroseconds * 1000));
  }
}

base::Result<DecodedOutcome> from_message(const reapi::ActionResult& message) {
  if (message.output_directories_size() + message.output_file_symlinks_size() +
          message.output_directory_symlinks_size() + message.output_symlinks_size() !=
      0) {
    return base::invalid("a result with directories or links");
  }
  DecodedOutcome decoded;
  decoded.outcome.exit_code = message.exit_code();
  decoded.outcome.out = message.stdout_raw();
  decoded.outcome.err = message.stderr_raw();
  decoded.outcome.compile_us = compile_us(message.execution_metadata());
  if (decoded.outcome.out.empty() && message.has_stdout_digest()) {
    base::Result<base::Digest> digest = get_digest(message.stdout_digest());
    if (!digest) return digest.error();
    if (digest->size != 0) decoded.out_digest = *digest;
  }
  if (decoded.outcome.err.empty() && message.has_stderr_digest()) {
    base::Result<base::Digest> digest = get_digest(message.stderr_digest());
    if (!digest) return digest.error();
    if (digest->size != 0) decoded.err_digest = *digest;
  }
  std::vector<OutputFile>& files = decoded.outcome.files;
  for (const reapi::OutputFile& file : message.output_files()) {
    base::Result<base::Digest> digest = get_digest(file.digest());
    if (!digest) return digest.error();
    if (file.path().empty() || file.path().front() == '/')
      return base::invalid("a result with a bad file name");
    files.push_back({file.path(), *digest, file.is_executable()});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  auto same = [](const auto& a, const auto& b) { return a.path == b.path; };
  if (std::adjacent_find(files.begin(), files.end(), same) != files.end()) {
    return base::invalid("a result that names a file twice");
  }
  return decoded;
}

std::string encode(const Outcome& outcome, std::size_t inline_limit) {
  reapi::ActionResult message;
  to_message(outcome, inline_limit, message);
  return message.SerializeAsString();
}

base::Result<DecodedOutcome> decode(std::string_view bytes) {
  reapi::ActionResult message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::invalid("not an ActionResult");
  }
  return from_message(message);
}

}  // namespace cache
