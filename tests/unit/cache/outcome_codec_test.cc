#include "cache/outcome_codec.h"

#include <doctest/doctest.h>

#include "wire/reapi.pb.h"

namespace reapi = build::bazel::remote::execution::v2;

namespace {

cache::Outcome sample() {
  cache::Outcome outcome;
  outcome.exit_code = 3;
  outcome.out = "out";
  outcome.err = "err";
  outcome.files = {{"b.o", base::digest_of("b"), false}, {"a/x", base::digest_of("a"), true}};
  outcome.compile_us = 2'000'007;
  return outcome;
}

bool refused(const reapi::ActionResult& message) {
  base::Result<cache::DecodedOutcome> decoded = cache::from_message(message);
  return !decoded && decoded.error().kind == base::ErrorKind::invalid;
}

reapi::OutputFile& add_file(reapi::ActionResult& message, const std::string& path) {
  reapi::OutputFile& file = *message.add_output_files();
  file.set_path(path);
  cache::set_digest(base::digest_of(path), *file.mutable_digest());
  return file;
}

}  // namespace

TEST_CASE("an outcome is an ActionResult: golden bytes") {
  cache::Outcome outcome;
  outcome.err = "e";
  outcome.files = {{"x.o", base::digest_of(""), true}};
  outcome.compile_us = 1;
  std::string hash = base::digest_of("").hex();
  std::string expected = std::string("\x12\x4b\x0a\x03x.o\x12\x42\x0a\x40") + hash +
                         // exit code 0 and an empty stdout are left out
                         std::string(
                             "\x20\x01\x3a\x01"
                             "e\x4a\x05\x62\x03\x10\xe8\x07");
  CHECK(cache::encode(outcome) == expected);
}

TEST_CASE("an outcome comes back, its files sorted") {
  base::Result<cache::DecodedOutcome> decoded = cache::decode(cache::encode(sample()));
  REQUIRE(decoded);
  const cache::Outcome& back = decoded->outcome;
  CHECK(back.exit_code == 3);
  CHECK(back.out == "out");
  CHECK(back.err == "err");
  CHECK(back.compile_us == 2'000'007);
  REQUIRE(back.files.size() == 2);
  CHECK(back.files[0].path == "a/x");
  CHECK(back.files[0].executable);
  CHECK(back.files[0].digest == base::digest_of("a"));
  CHECK(back.files[1].path == "b.o");
  CHECK(!decoded->out_digest);
}

TEST_CASE("bytes that are no text survive in messages and names") {
  cache::Outcome outcome;
  outcome.err = std::string("\xff\0\xc3", 3);
  outcome.files = {{"caf\xe9.o", base::digest_of(""), false}};
  base::Result<cache::DecodedOutcome> decoded = cache::decode(cache::encode(outcome));
  REQUIRE(decoded);
  CHECK(decoded->outcome.err == outcome.err);
  CHECK(decoded->outcome.files[0].path == "caf\xe9.o");
}

TEST_CASE("long text is named by digest") {
  cache::Outcome outcome = sample();
  base::Result<cache::DecodedOutcome> decoded = cache::decode(cache::encode(outcome, 2));
  REQUIRE(decoded);
  CHECK(decoded->outcome.out.empty());
  CHECK(*decoded->out_digest == base::digest_of("out"));
  CHECK(*decoded->err_digest == base::digest_of("err"));
  // A server may name empty text by digest as well.
  reapi::ActionResult message;
  cache::set_digest(base::digest_of(""), *message.mutable_stdout_digest());
  CHECK(!cache::from_message(message)->out_digest);
}

TEST_CASE("the time a worker took is taken from its clock where it says no more") {
  reapi::ActionResult message;
  message.mutable_execution_metadata()->mutable_execution_start_timestamp()->set_seconds(100);
  message.mutable_execution_metadata()->mutable_execution_completed_timestamp()->set_seconds(101);
  message.mutable_execution_metadata()->mutable_execution_completed_timestamp()->set_nanos(5'000);
  CHECK(cache::from_message(message)->outcome.compile_us == 1'000'005);
  message.mutable_execution_metadata()->mutable_execution_start_timestamp()->set_seconds(200);
  CHECK(cache::from_message(message)->outcome.compile_us == 0);
}

TEST_CASE("a time that no number can hold is not known") {
  reapi::ActionResult message;
  auto& metadata = *message.mutable_execution_metadata();
  metadata.mutable_execution_start_timestamp()->set_seconds(INT64_MIN);
  metadata.mutable_execution_completed_timestamp()->set_seconds(INT64_MAX);
  metadata.mutable_execution_completed_timestamp()->set_nanos(INT32_MAX);
  CHECK(cache::from_message(message)->outcome.compile_us == 0);
  metadata.mutable_virtual_execution_duration()->set_seconds(18'446'744'073'710);
  metadata.mutable_virtual_execution_duration()->set_nanos(INT32_MIN);
  // The product in microseconds, cut to 64 bits, would be a time that a compile may take.
  CHECK(cache::from_message(message)->outcome.compile_us == 0);
}

TEST_CASE("results that no compile makes are refused") {
  reapi::ActionResult message;
  SUBCASE("no digest") { message.add_output_files()->set_path("x"); }
  SUBCASE("a digest in upper case") {
    add_file(message, "x").mutable_digest()->set_hash(std::string(64, 'A'));
  }
  SUBCASE("a negative size") { add_file(message, "x").mutable_digest()->set_size_bytes(-1); }
  SUBCASE("no name") { add_file(message, ""); }
  SUBCASE("an absolute name") { add_file(message, "/etc/passwd"); }
  SUBCASE("a name twice") {
    add_file(message, "x");
    add_file(message, "x");
  }
  SUBCASE("a directory") { message.add_output_directories()->set_path("d"); }
  SUBCASE("a link") { message.add_output_symlinks()->set_path("l"); }
  SUBCASE("an old link") { message.add_output_file_symlinks()->set_path("l"); }
  SUBCASE("bad digest of text") { message.mutable_stderr_digest()->set_hash("x"); }
  CHECK(refused(message));
}

TEST_CASE("bytes that are no message are refused") {
  CHECK(!cache::decode("\xff\xff\xff"));
  std::string whole = cache::encode(sample());
  CHECK(!cache::decode(whole.substr(0, whole.size() - 1)));
}
