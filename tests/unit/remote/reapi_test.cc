#include "remote/reapi.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "fake/fake_clock.h"
#include "fake/fake_credentials.h"
#include "fake/remote_caller.h"
#include "unit/remote/engine.h"

using engine::StatusCode;
using remote::Cause;

namespace {

remote::ReapiOptions at(const std::string& url) {
  remote::ReapiOptions options;
  options.cas = options.action_cache = options.executor = fake::endpoint_at(url);
  return options;
}

struct ReapiWorld {
  ReapiWorld() {
    server.traits()->merges = false;
    server.runner([this](fake::Run&) { return engine::compiled(server); });
  }
  void rebuild(const remote::ReapiOptions& options) {
    backend = remote::make_reapi(options, credentials, clock);
  }

  auto lookup() { return backend->lookup({}, engine::kAction, {"x.o"}, {}); }
  auto execute() { return backend->execute({}, engine::job(), {}, {}); }
  auto update() {
    return backend->update({}, engine::kAction, outcome(),
                           {engine::source(engine::kObject), engine::source("action")}, {});
  }
  static cache::Outcome outcome() {
    cache::Outcome outcome;
    outcome.err = "x.cc:1: warning";
    outcome.files = {{"x.o", base::digest_of(engine::kObject), false}};
    return outcome;
  }
  // A method refuses all callers, or those with, or without, a token.
  void refuse(const std::string& method, StatusCode code) {
    server.on(method, [code](const fake::Seen&) { return grpc::Status(code, "no right"); });
  }
  void demand(const std::string& method, const std::string& token, StatusCode code) {
    server.on(method, [token, code](const fake::Seen& seen) -> std::optional<grpc::Status> {
      if (seen.header("authorization") == "Bearer " + token) return std::nullopt;
      return grpc::Status(code, "no right");
    });
  }

  fake::ReapiServer server;
  fake::FakeClock clock;
  fake::FakeCredentials credentials;
  std::unique_ptr<remote::Backend> backend = remote::make_reapi(at(server.url()), credentials, clock);
};

}  // namespace

TEST_CASE("nothing is asked before the first request") {
  ReapiWorld world;
  CHECK(world.backend->available());
  remote::Rights rights = world.backend->rights();
  CHECK(rights.read);
  CHECK(rights.execute);
  CHECK(rights.update);
  remote::BackendState state = world.backend->state();
  CHECK(state.kind == "reapi");
  CHECK(state.address == world.server.url());
  CHECK(state.refusal.empty());
  CHECK(state.warning.empty());
  CHECK(world.server.connections() == 0);
}

TEST_CASE("what one client shares, another finds") {
  ReapiWorld world;
  REQUIRE(world.update());
  auto found = world.lookup();
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->cached);
  CHECK((*found)->outcome.err == "x.cc:1: warning");
  CHECK((*found)->contents.at(base::digest_of(engine::kObject)) == engine::kObject);

  auto stored = world.server.result(engine::kAction);
  REQUIRE(stored);
  CHECK(stored->stdout_raw().empty());
  CHECK(stored->stderr_raw().empty());
  CHECK(stored->stderr_digest().hash() == base::digest_of("x.cc:1: warning").hex());
  CHECK(stored->output_files(0).contents().empty());
  std::array<char, 256> host{};
  REQUIRE(::gethostname(host.data(), host.size() - 1) == 0);
  CHECK(stored->execution_metadata().worker() == std::string(host.data()) + "/goma-local");
  CHECK(world.server.has(engine::kAction));
}

TEST_CASE("blobs are shared before the entry that names them") {
  ReapiWorld world;
  std::atomic<bool> complete{false};
  world.server.on("UpdateActionResult", [&](const fake::Seen&) -> std::optional<grpc::Status> {
    complete = world.server.has(base::digest_of(engine::kObject)) && world.server.has(engine::kAction) &&
               world.server.has(base::digest_of("x.cc:1: warning"));
    return std::nullopt;
  });
  REQUIRE(world.update());
  CHECK(complete);
}

TEST_CASE("only whole results of good compiles are shared") {
  ReapiWorld world;
  cache::Outcome outcome = ReapiWorld::outcome();
  CHECK_FALSE(world.backend->update({}, engine::kAction, outcome, {engine::source("action")}, {}));
  outcome.exit_code = 1;
  CHECK_FALSE(world.backend->update({}, engine::kAction, outcome, {engine::source(engine::kObject)}, {}));
  outcome.exit_code = 0;
  outcome.files.clear();
  CHECK_FALSE(world.backend->update({}, engine::kAction, outcome, {}, {}));
  CHECK(world.server.connections() == 0);
  CHECK(world.backend->rights().update);
}

TEST_CASE("an entry that cannot be used is a miss") {
  ReapiWorld world;
  auto misses = [&](const engine::reapi::ActionResult& entry) {
    world.server.put_result(engine::kAction, entry);
    auto found = world.lookup();
    return found && !*found;
  };
  CHECK(misses({}));
  engine::reapi::ActionResult good = engine::compiled(world.server).result();
  CHECK_FALSE(misses(good));
  engine::reapi::ActionResult failed = good;
  failed.set_exit_code(1);
  CHECK(misses(failed));
  engine::reapi::ActionResult link = good;
  link.add_output_symlinks()->set_path("y.o");
  CHECK(misses(link));
  engine::reapi::ActionResult silent = good;
  cache::set_digest(base::digest_of("gone"), *silent.mutable_stderr_digest());
  CHECK(misses(silent));
}

TEST_CASE("messages of an entry are fetched where they did not come along") {
  ReapiWorld world;
  world.server.traits()->inline_hints = false;
  REQUIRE(world.update());
  auto found = world.lookup();
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->outcome.err == "x.cc:1: warning");
  CHECK((*found)->contents.empty());
  auto contents = world.backend->fetch({}, {base::digest_of(engine::kObject), base::digest_of("gone")}, {});
  REQUIRE(contents);
  CHECK(contents->size() == 1);
  CHECK(world.backend->state().received_bytes > 0);
}

TEST_CASE("a refused Execute makes the session read-only, quietly, until there are other credentials") {
  for (StatusCode code : {StatusCode::PERMISSION_DENIED, StatusCode::UNAUTHENTICATED}) {
    ReapiWorld world;
    world.credentials.set(fake::bearer("reader"));
    REQUIRE(world.update());
    world.demand("Execute", "maintainer", code);
    auto answer = world.execute();
    REQUIRE_FALSE(answer);
    CHECK_FALSE(world.backend->rights().execute);
    CHECK(world.backend->rights().read);
    CHECK(world.backend->rights().update);
    CHECK(world.backend->state().refusal.find("no right") != std::string::npos);
    CHECK(world.backend->available());

    // No loop: nothing more is sent for what was refused, and reads go on.
    int asked = world.server.count("Execute");
    for (int i = 0; i < 3; ++i) CHECK_FALSE(world.execute());
    CHECK(world.server.count("Execute") == asked);
    auto found = world.lookup();
    REQUIRE(found);
    CHECK(found->has_value());

    world.credentials.set(fake::bearer("maintainer"));
    CHECK(world.backend->rights().execute);
    CHECK(world.backend->state().refusal.empty());
    CHECK(world.execute());
  }
}

TEST_CASE("a session whose token expires on the way goes on reading") {
  ReapiWorld world;
  world.credentials.set(fake::bearer("good"));
  world.demand("Execute", "good", StatusCode::PERMISSION_DENIED);
  REQUIRE(world.execute());
  world.credentials.set(fake::bearer("expired"));
  CHECK_FALSE(world.execute());
  CHECK_FALSE(world.backend->rights().execute);
  CHECK(world.lookup());
}

TEST_CASE("a refused upload costs the right it was for") {
  ReapiWorld world;
  world.refuse("BatchUpdateBlobs", StatusCode::UNAUTHENTICATED);
  CHECK_FALSE(world.execute());
  CHECK_FALSE(world.backend->rights().execute);
  CHECK(world.backend->rights().update);
  CHECK_FALSE(world.update());
  CHECK_FALSE(world.backend->rights().update);
  CHECK(world.backend->rights().read);
  CHECK(world.server.count("UpdateActionResult") == 0);
}

TEST_CASE("whoever may write blobs may still not write entries") {
  ReapiWorld world;
  world.refuse("UpdateActionResult", StatusCode::PERMISSION_DENIED);
  REQUIRE(world.execute());
  CHECK_FALSE(world.update());
  CHECK_FALSE(world.backend->rights().update);
  CHECK(world.backend->rights().execute);
  CHECK_FALSE(world.update());
  CHECK(world.server.count("UpdateActionResult") == 1);
}

TEST_CASE("a wrong token is left at home where anybody may read") {
  ReapiWorld world;
  REQUIRE(world.update());
  world.credentials.set(fake::bearer("wrong"));
  for (const char* method : {"GetActionResult", "BatchReadBlobs", "FindMissingBlobs", "GetCapabilities"}) {
    world.server.on(method, [](const fake::Seen& seen) -> std::optional<grpc::Status> {
      if (seen.header("authorization").empty()) return std::nullopt;
      return grpc::Status(StatusCode::UNAUTHENTICATED, "bad token");
    });
  }
  auto found = world.lookup();
  REQUIRE(found);
  CHECK(found->has_value());
  CHECK(world.backend->fetch({}, {base::digest_of(engine::kObject)}, {}));
  CHECK(world.backend->rights().read);
  CHECK_FALSE(world.backend->rights().execute);
  CHECK_FALSE(world.backend->rights().update);
  CHECK(world.backend->state().refusal.find("bad token") != std::string::npos);
  int asked = world.server.count("GetActionResult");
  CHECK(world.lookup());
  CHECK(world.server.count("GetActionResult") == asked + 1);
  CHECK(world.credentials.refusals() <= 3);
}

TEST_CASE("reads that are refused are not tried again until there are other credentials") {
  ReapiWorld world;
  world.credentials.set(fake::bearer("wrong"));
  world.demand("GetActionResult", "good", StatusCode::UNAUTHENTICATED);
  CHECK_FALSE(world.lookup());
  CHECK_FALSE(world.backend->rights().read);
  int asked = world.server.count("GetActionResult");
  auto found = world.lookup();
  REQUIRE_FALSE(found);
  CHECK(found.error().cause == Cause::denied);
  CHECK(world.server.count("GetActionResult") == asked);

  world.credentials.set(fake::bearer("good"));
  CHECK(world.backend->rights().read);
  CHECK(world.lookup());
}

TEST_CASE("an engine without execution is a cache") {
  SUBCASE("as its capabilities say") {
    ReapiWorld world;
    world.server.traits()->capabilities.clear_execution_capabilities();
    auto answer = world.execute();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().cause == Cause::unimplemented);
    CHECK_FALSE(world.backend->rights().execute);
    CHECK(world.server.count("Execute") == 0);
    CHECK(world.server.count("BatchUpdateBlobs") == 0);

    // To other users it may say something else.
    world.server.traits()->capabilities.mutable_execution_capabilities()->set_exec_enabled(true);
    world.server.traits()->capabilities.mutable_execution_capabilities()->set_digest_function(
        engine::reapi::DigestFunction::SHA256);
    world.credentials.set(fake::bearer("maintainer"));
    CHECK(world.execute());
  }
  SUBCASE("as it turns out") {
    ReapiWorld world;
    world.refuse("Execute", StatusCode::UNIMPLEMENTED);
    CHECK_FALSE(world.execute());
    CHECK_FALSE(world.backend->rights().execute);
    CHECK(world.backend->rights().read);
    world.clock.advance(std::chrono::minutes(10));
    CHECK(world.backend->rights().execute);
  }
}

TEST_CASE("a cache that takes no results is not offered any") {
  ReapiWorld world;
  world.server.traits()
      ->capabilities.mutable_cache_capabilities()
      ->mutable_action_cache_update_capabilities()
      ->set_update_enabled(false);
  CHECK_FALSE(world.update());
  CHECK_FALSE(world.backend->rights().update);
  CHECK(world.server.count("FindMissingBlobs") == 0);
  CHECK(world.server.count("UpdateActionResult") == 0);
}

TEST_CASE("what the configuration forbids is not tried") {
  ReapiWorld world;
  remote::ReapiOptions options = at(world.server.url());
  options.may_execute = options.may_update = false;
  world.rebuild(options);
  CHECK_FALSE(world.backend->rights().execute);
  CHECK_FALSE(world.backend->rights().update);
  CHECK_FALSE(world.execute());
  CHECK_FALSE(world.update());
  CHECK(world.server.connections() == 0);
}

TEST_CASE("without workers executions rest for a minute, and the reason is shown") {
  ReapiWorld world;
  world.server.fail("Execute", {StatusCode::FAILED_PRECONDITION, "No workers exist for platform {}"});
  CHECK_FALSE(world.execute());
  CHECK_FALSE(world.backend->rights().execute);
  CHECK(world.backend->rights().update);
  CHECK(world.backend->state().refusal.find("No workers exist") != std::string::npos);
  world.clock.advance(std::chrono::seconds(60));
  CHECK(world.backend->rights().execute);
  CHECK(world.execute());
}

TEST_CASE("a dead endpoint is left alone") {
  ReapiWorld world;
  world.server.stop();
  for (int i = 0; i < 5 && world.backend->available(); ++i) CHECK_FALSE(world.lookup());
  CHECK_FALSE(world.backend->available());
  CHECK_FALSE(world.backend->rights().execute);
  CHECK(world.backend->state().health.breaker == remote::Breaker::open);
  CHECK_FALSE(world.backend->state().health.last_error.empty());
}

TEST_CASE("storage and execution may lie at different addresses") {
  ReapiWorld world;
  fake::ReapiServer scheduler;
  scheduler.traits()->capabilities.clear_cache_capabilities();
  scheduler.runner([&](fake::Run&) { return engine::compiled(world.server); });
  world.server.traits()->capabilities.clear_execution_capabilities();
  remote::ReapiOptions options = at(world.server.url());
  options.executor = fake::endpoint_at(scheduler.url());
  options.instance = "main";
  world.rebuild(options);
  auto answer = world.execute();
  REQUIRE(answer);
  CHECK(scheduler.count("Execute") == 1);
  CHECK(scheduler.count("FindMissingBlobs") == 0);
  CHECK(engine::has_all(world.server));
  CHECK(world.backend->state().address == world.server.url() + ", " + scheduler.url());
  REQUIRE(world.update());
  CHECK(scheduler.count("UpdateActionResult") == 0);

  scheduler.stop();
  for (int i = 0; i < 5 && world.backend->rights().execute; ++i) CHECK_FALSE(world.execute());
  CHECK_FALSE(world.backend->rights().execute);
  CHECK(world.backend->available());
  CHECK(world.backend->state().health.breaker == remote::Breaker::open);
  CHECK(world.lookup());
}
