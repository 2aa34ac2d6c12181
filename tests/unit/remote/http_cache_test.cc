#include "remote/http_cache.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "cache/outcome_codec.h"
#include "fake/fake_clock.h"
#include "fake/fake_credentials.h"
#include "fake/fake_http_cache.h"
#include "fake/temp_dir.h"
#include "remote/call.h"
#include "wire/reapi.pb.h"

namespace {

namespace reapi = build::bazel::remote::execution::v2;
using remote::Cause;

struct HttpCacheWorld {
  fake::FakeHttpCache server;
  fake::FakeCredentials credentials;
  fake::FakeClock clock;
  remote::Call call;
  base::Digest action = base::digest_of("action");
  std::unique_ptr<remote::Backend> cache;

  HttpCacheWorld() {
    remote::HttpCacheOptions options;
    options.endpoint = *remote::parse_endpoint(fake::FakeHttpCache::kUrl);
    cache = remote::make_http_cache(options, server.http, credentials, clock);
  }
  std::string path() const { return "/ac/" + action.hex(); }
  std::optional<remote::Answer> lookup() {
    auto answer = cache->lookup(call, action, {"x.o"}, {});
    REQUIRE(answer);
    return *answer;
  }
  static cache::Outcome outcome(const std::string& object) {
    cache::Outcome outcome;
    outcome.err = "warning";
    outcome.files = {{"x.o", base::digest_of(object), false}};
    return outcome;
  }
  remote::Remote<void> update(const cache::Outcome& outcome, const std::vector<remote::Source>& sources) {
    return cache->update(call, action, outcome, sources, {});
  }
};

std::string bytes_of(const reapi::ActionResult& message) { return message.SerializeAsString(); }

reapi::ActionResult message_of(const cache::Outcome& outcome) {
  reapi::ActionResult message;
  cache::to_message(outcome, cache::kLargestInlineText, message);
  return message;
}

}  // namespace

TEST_CASE("what one client writes, another reads, byte for byte as an ActionResult") {
  HttpCacheWorld world;
  cache::Outcome outcome = HttpCacheWorld::outcome("object");
  REQUIRE(world.update(outcome, {{base::digest_of("object"), "object"}, {base::digest_of("cmd"), "cmd"}}));
  CHECK(world.server.get(world.path()) == cache::encode(outcome));
  CHECK(world.server.asked().back() == "PUT " + world.path());
  std::optional<remote::Answer> answer = world.lookup();
  REQUIRE(answer);
  CHECK(answer->cached);
  CHECK(answer->outcome.err == "warning");
  CHECK(answer->outcome.files.at(0).digest == base::digest_of("object"));
  auto contents = world.cache->fetch(
      world.call, {base::digest_of("object"), base::digest_of("gone"), base::digest_of("")}, {});
  REQUIRE(contents);
  CHECK(contents->size() == 2);
  CHECK(contents->at(base::digest_of("object")) == "object");
  CHECK(contents->at(base::digest_of("")).empty());
}

TEST_CASE("long messages travel as blobs") {
  HttpCacheWorld world;
  cache::Outcome outcome = HttpCacheWorld::outcome("object");
  outcome.out = std::string(100'000, 'o');
  outcome.err = std::string(200'000, 'e');
  REQUIRE(world.update(outcome, {{base::digest_of("object"), "object"}}));
  CHECK(world.server.has(base::digest_of(outcome.out)));
  CHECK(world.server.get(world.path()).size() < 1000);
  std::optional<remote::Answer> answer = world.lookup();
  REQUIRE(answer);
  CHECK(answer->outcome.out == outcome.out);
  CHECK(answer->outcome.err == outcome.err);
}

TEST_CASE("an entry whose message is gone is a miss") {
  HttpCacheWorld world;
  cache::Outcome outcome = HttpCacheWorld::outcome("object");
  outcome.err = std::string(100'000, 'e');
  world.server.put(world.path(), cache::encode(outcome));
  CHECK(!world.lookup());
}

TEST_CASE("entries that no compile can have made are misses") {
  cache::Outcome failed = HttpCacheWorld::outcome("object");
  failed.exit_code = 1;
  cache::Outcome empty = HttpCacheWorld::outcome("object");
  empty.files.clear();
  reapi::ActionResult with_folder = message_of(HttpCacheWorld::outcome("object"));
  with_folder.add_output_directories()->set_path("d");
  reapi::ActionResult bad_digest = message_of(HttpCacheWorld::outcome("object"));
  bad_digest.mutable_output_files(0)->mutable_digest()->set_hash("zz");
  // What is claimed to be so large would be waited for, and held in memory.
  reapi::ActionResult huge_file = message_of(HttpCacheWorld::outcome("object"));
  huge_file.mutable_output_files(0)->mutable_digest()->set_size_bytes(std::int64_t{1} << 40);
  reapi::ActionResult huge_text = message_of(HttpCacheWorld::outcome("object"));
  huge_text.clear_stderr_raw();
  huge_text.mutable_stderr_digest()->set_hash(base::digest_of("text").hex());
  huge_text.mutable_stderr_digest()->set_size_bytes(std::int64_t{1} << 40);
  reapi::ActionResult empty_object = message_of(HttpCacheWorld::outcome(""));
  for (const std::string& bytes : {cache::encode(failed), cache::encode(empty), std::string("\xff\xff junk"),
                                   std::string(), bytes_of(with_folder), bytes_of(bad_digest),
                                   bytes_of(huge_file), bytes_of(huge_text), bytes_of(empty_object)}) {
    HttpCacheWorld world;
    world.server.put("/cas/" + base::digest_of("text").hex(), "text");
    world.server.put(world.path(), bytes);
    CHECK(!world.lookup());
  }
}

TEST_CASE("content inside an entry is used if it is what the entry says") {
  HttpCacheWorld world;
  reapi::ActionResult message = message_of(HttpCacheWorld::outcome("object"));
  message.mutable_output_files(0)->set_contents("object");
  message.mutable_execution_metadata()->set_worker("w1");
  world.server.put(world.path(), bytes_of(message));
  std::optional<remote::Answer> answer = world.lookup();
  REQUIRE(answer);
  CHECK(answer->worker == "w1");
  CHECK(answer->contents.at(base::digest_of("object")) == "object");
  HttpCacheWorld other;
  message.mutable_output_files(0)->set_contents("forged");
  other.server.put(other.path(), bytes_of(message));
  answer = other.lookup();
  REQUIRE(answer);
  CHECK(answer->contents.empty());
}

TEST_CASE("a miss is remembered for some seconds, and forgotten by one's own update") {
  HttpCacheWorld world;
  CHECK(!world.lookup());
  CHECK(!world.lookup());
  CHECK(world.server.asked().size() == 1);
  world.server.put(world.path(), cache::encode(HttpCacheWorld::outcome("object")));
  world.clock.advance(std::chrono::seconds(6));
  CHECK(world.lookup());
  HttpCacheWorld other;
  CHECK(!other.lookup());
  REQUIRE(other.update(HttpCacheWorld::outcome("object"), {{base::digest_of("object"), "object"}}));
  CHECK(other.lookup());
}

TEST_CASE("the probe is made once") {
  HttpCacheWorld world;
  world.lookup();
  world.clock.advance(std::chrono::seconds(6));
  world.lookup();
  std::vector<std::string> lines = world.server.http.lines();
  CHECK(std::count_if(lines.begin(), lines.end(),
                      [](const auto& line) { return line.starts_with("HEAD"); }) == 1);
}

TEST_CASE("the entry is written last, and not at all when a blob was not taken") {
  HttpCacheWorld world;
  world.server.guard = [](const base::HttpCall& call) {
    return fake::http_answer(call.method == "PUT" && call.body == "object" ? 500 : 0);
  };
  remote::Remote<void> done =
      world.update(HttpCacheWorld::outcome("object"),
                   {{base::digest_of("cmd"), "cmd"}, {base::digest_of("object"), "object"}});
  REQUIRE(!done);
  CHECK(done.error().cause == Cause::unavailable);
  CHECK(world.server.get(world.path()).empty());
}

TEST_CASE("a refused write is the only one, and reads go on") {
  HttpCacheWorld world;
  world.server.guard = [](const base::HttpCall& call) {
    return fake::http_answer(call.method == "PUT" ? 401 : 0);
  };
  std::vector<remote::Source> sources;
  for (int i = 0; i < 20; ++i) {
    std::string bytes = "blob " + std::to_string(i);
    sources.push_back({base::digest_of(bytes), bytes});
  }
  CHECK(world.cache->rights().update);
  CHECK(world.update(HttpCacheWorld::outcome("blob 0"), sources).error().cause == Cause::denied);
  CHECK(world.update(HttpCacheWorld::outcome("blob 0"), sources).error().cause == Cause::denied);
  CHECK(world.server.asked().size() == 1);
  CHECK(!world.cache->rights().update);
  CHECK(world.cache->rights().read);
  CHECK(!world.cache->state().refusal.empty());
  CHECK(!world.lookup());
}

TEST_CASE("blobs from files are read when needed and refused when they changed") {
  HttpCacheWorld world;
  fake::TempDir folder;
  std::string path = folder.write("x.o", "object");
  REQUIRE(world.update(HttpCacheWorld::outcome("object"), {{base::digest_of("object"), "", path}}));
  CHECK(world.server.has(base::digest_of("object")));
  folder.write("x.o", "changed");
  CHECK(world.update(HttpCacheWorld::outcome("object"), {{base::digest_of("object"), "", path}})
            .error()
            .cause == Cause::local);
  CHECK(world.update(HttpCacheWorld::outcome("object"), {{base::digest_of("object"), "", folder / "none"}})
            .error()
            .cause == Cause::local);
}

TEST_CASE("a large blob that is there is not sent again, nor is its file read") {
  HttpCacheWorld world;
  const std::string big(100'000, 'x');
  world.server.put_blob(big);
  REQUIRE(world.update(HttpCacheWorld::outcome(big), {{base::digest_of(big), "", "/does/not/exist"}}));
  CHECK(world.server.asked()[0].starts_with("HEAD"));
  CHECK(world.server.asked().size() == 2);
}

TEST_CASE("a server that fails is no miss") {
  HttpCacheWorld world;
  world.server.guard = [](const base::HttpCall&) { return fake::http_answer(503); };
  auto answer = world.cache->lookup(world.call, world.action, {}, {});
  REQUIRE(!answer);
  CHECK(answer.error().cause == Cause::unavailable);
  auto contents = world.cache->fetch(world.call, {base::digest_of("x"), base::digest_of("y")}, {});
  REQUIRE(!contents);
  CHECK(contents.error().cause == Cause::unavailable);
  for (int i = 0; i < 10; ++i)
    (void)world.cache->lookup(world.call, base::digest_of(std::to_string(i)), {}, {});
  CHECK(!world.cache->available());
  std::size_t asked = world.server.asked().size();
  CHECK(!world.cache->lookup(world.call, world.action, {}, {}));
  CHECK(world.server.asked().size() == asked);
  CHECK(world.cache->state().health.breaker == remote::Breaker::open);
}

TEST_CASE("what it is, and that it runs nothing") {
  HttpCacheWorld world;
  remote::BackendState state = world.cache->state();
  CHECK(state.kind == "http");
  CHECK(state.address == fake::FakeHttpCache::kUrl);
  CHECK(state.rights.read);
  CHECK(!state.rights.execute);
  CHECK(world.cache->available());
  CHECK(world.server.http.calls().empty());
  auto run = world.cache->execute(world.call, {}, {}, {});
  REQUIRE(!run);
  CHECK(run.error().cause == Cause::unimplemented);
}
