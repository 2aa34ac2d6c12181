#include "remote/answer.h"

#include <doctest/doctest.h>

#include <cctype>
#include <cstdint>
#include <limits>

#include "cache/outcome_codec.h"
#include "wire/reapi.pb.h"

namespace reapi = build::bazel::remote::execution::v2;

namespace {

reapi::OutputFile& add_file(reapi::ActionResult& message, const std::string& path,
                            const std::string& content) {
  reapi::OutputFile& file = *message.add_output_files();
  file.set_path(path);
  cache::set_digest(base::digest_of(content), *file.mutable_digest());
  return file;
}

reapi::ActionResult entry() {
  reapi::ActionResult message;
  add_file(message, "x.o", "object");
  return message;
}

bool unusable(const reapi::ActionResult& message) { return !remote::read_entry(message); }

}  // namespace

TEST_CASE("an entry is read whole") {
  reapi::ActionResult message = entry();
  add_file(message, "x.d", "depfile").set_is_executable(true);
  message.set_stderr_raw("warning");
  reapi::ExecutedActionMetadata& metadata = *message.mutable_execution_metadata();
  metadata.set_worker("worker 7");
  metadata.mutable_queued_timestamp()->set_seconds(100);
  metadata.mutable_execution_start_timestamp()->set_seconds(103);
  metadata.mutable_execution_completed_timestamp()->set_seconds(104);
  metadata.mutable_execution_completed_timestamp()->set_nanos(500'000'000);

  base::Result<remote::AnswerDraft> draft = remote::read_entry(message);
  REQUIRE(draft);
  CHECK(remote::wanted(*draft).empty());
  std::optional<remote::Answer> answer = remote::finish(*draft, {});
  REQUIRE(answer);
  CHECK(answer->cached);
  CHECK(answer->worker == "worker 7");
  CHECK(answer->queue_us == 3'000'000);
  CHECK(answer->execute_us == 1'500'000);
  CHECK(answer->outcome.compile_us == 1'500'000);
  CHECK(answer->outcome.err == "warning");
  REQUIRE(answer->outcome.files.size() == 2);
  CHECK(answer->outcome.files[0].path == "x.d");
  CHECK(answer->outcome.files[0].executable);
  CHECK(answer->contents.empty());
}

TEST_CASE("an entry that no compile makes is unusable") {
  CHECK_FALSE(unusable(entry()));

  reapi::ActionResult failed = entry();
  failed.set_exit_code(1);
  CHECK(unusable(failed));
  CHECK(remote::read_result(failed));

  CHECK(unusable(reapi::ActionResult()));

  reapi::ActionResult directory = entry();
  directory.add_output_directories()->set_path("dir");
  CHECK(unusable(directory));

  for (int kind = 0; kind < 3; ++kind) {
    reapi::ActionResult link = entry();
    reapi::OutputSymlink& symlink = kind == 0   ? *link.add_output_symlinks()
                                    : kind == 1 ? *link.add_output_file_symlinks()
                                                : *link.add_output_directory_symlinks();
    symlink.set_path("y.o");
    symlink.set_target("/etc/passwd");
    CHECK(unusable(link));
    CHECK_FALSE(remote::read_result(link));
  }

  reapi::ActionResult twice = entry();
  add_file(twice, "x.o", "other");
  CHECK(unusable(twice));

  reapi::ActionResult empty_object;
  add_file(empty_object, "x.o", "");
  CHECK(unusable(empty_object));

  reapi::ActionResult empty_other;
  add_file(empty_other, "x.dwo", "");
  CHECK_FALSE(unusable(empty_other));
}

TEST_CASE("digests that cannot be are found out") {
  auto with = [](const std::string& hash, std::int64_t size) {
    reapi::ActionResult message = entry();
    message.mutable_output_files(0)->mutable_digest()->set_hash(hash);
    message.mutable_output_files(0)->mutable_digest()->set_size_bytes(size);
    return message;
  };
  std::string hash = base::digest_of("object").hex();
  std::string empty = base::digest_of("").hex();
  CHECK_FALSE(unusable(with(hash, 6)));
  CHECK(unusable(with(hash, 0)));
  CHECK(unusable(with(hash, -1)));
  CHECK(unusable(with(hash, std::numeric_limits<std::int64_t>::max())));
  CHECK(unusable(with(empty, 1)));
  CHECK(unusable(with(hash.substr(1), 6)));
  CHECK(unusable(with("", 0)));
  std::string upper = hash;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  CHECK(unusable(with(upper, 6)));

  reapi::ActionResult huge_text = entry();
  huge_text.mutable_stderr_digest()->set_hash(hash);
  huge_text.mutable_stderr_digest()->set_size_bytes(std::int64_t{1} << 40);
  CHECK(unusable(huge_text));
}

TEST_CASE("text that is named by digest is fetched first") {
  reapi::ActionResult message = entry();
  cache::set_digest(base::digest_of("out"), *message.mutable_stdout_digest());
  cache::set_digest(base::digest_of("err"), *message.mutable_stderr_digest());
  base::Result<remote::AnswerDraft> draft = remote::read_entry(message);
  REQUIRE(draft);
  CHECK(remote::wanted(*draft) == std::vector<base::Digest>{base::digest_of("out"), base::digest_of("err")});

  remote::Contents contents{{base::digest_of("out"), "out"}};
  CHECK_FALSE(remote::finish(*draft, contents));
  contents.emplace(base::digest_of("err"), "err");
  std::optional<remote::Answer> answer = remote::finish(*draft, contents);
  REQUIRE(answer);
  CHECK(answer->outcome.out == "out");
  CHECK(answer->outcome.err == "err");

  // Equal texts are fetched once, and empty ones not at all.
  cache::set_digest(base::digest_of("out"), *message.mutable_stderr_digest());
  draft = remote::read_entry(message);
  REQUIRE(draft);
  CHECK(remote::wanted(*draft).size() == 1);
  cache::set_digest(base::digest_of(""), *message.mutable_stdout_digest());
  cache::set_digest(base::digest_of(""), *message.mutable_stderr_digest());
  draft = remote::read_entry(message);
  REQUIRE(draft);
  CHECK(remote::wanted(*draft).empty());
}

TEST_CASE("what came along is used only if it is what its digest names") {
  reapi::ActionResult message = entry();
  message.mutable_output_files(0)->set_contents("object");
  add_file(message, "x.d", "depfile").set_contents("forged!");
  message.set_stdout_raw("forged");
  cache::set_digest(base::digest_of("out"), *message.mutable_stdout_digest());
  message.set_stderr_raw("err");
  cache::set_digest(base::digest_of("err"), *message.mutable_stderr_digest());

  base::Result<remote::AnswerDraft> draft = remote::read_entry(message);
  REQUIRE(draft);
  CHECK(draft->answer.contents.size() == 1);
  CHECK(draft->answer.contents.at(base::digest_of("object")) == "object");
  CHECK(draft->answer.outcome.out.empty());
  CHECK(draft->answer.outcome.err == "err");
  CHECK(remote::wanted(*draft) == std::vector<base::Digest>{base::digest_of("out")});
}

TEST_CASE("a compile killed by a signal keeps its exit code") {
  reapi::ActionResult message;
  message.set_exit_code(-1);
  base::Result<remote::AnswerDraft> draft = remote::read_result(message);
  REQUIRE(draft);
  CHECK(draft->answer.outcome.exit_code == -1);
  CHECK_FALSE(draft->answer.cached);
}

TEST_CASE("clocks that are wild say nothing") {
  reapi::ActionResult message = entry();
  reapi::ExecutedActionMetadata& metadata = *message.mutable_execution_metadata();
  metadata.mutable_queued_timestamp()->set_seconds(std::numeric_limits<std::int64_t>::min());
  metadata.mutable_execution_start_timestamp()->set_seconds(std::numeric_limits<std::int64_t>::max());
  metadata.mutable_execution_completed_timestamp()->set_seconds(0);
  base::Result<remote::AnswerDraft> draft = remote::read_entry(message);
  REQUIRE(draft);
  CHECK(draft->answer.queue_us == 0);
  CHECK(draft->answer.execute_us == 0);
}
