#include "remote/action_cache.h"

#include <doctest/doctest.h>

#include "cache/outcome_codec.h"
#include "fake/fake_clock.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "unit/remote/engine.h"

namespace reapi = build::bazel::remote::execution::v2;

namespace {

struct ActionCacheWorld {
  fake::ReapiServer server;
  fake::FakeClock clock;
  fake::FakeCredentials credentials;
  remote::Connection connection{fake::endpoint_at(server.url()), {}, credentials, clock};
  remote::ActionCache cache{connection, "main/team"};

  remote::Remote<std::optional<reapi::ActionResult>> get(const std::stop_token& stop = {}) {
    return cache.get({}, engine::kAction, {"x.o", "x.d"}, stop);
  }
};

reapi::ActionResult result_with(const std::string& content) {
  reapi::ActionResult result;
  reapi::OutputFile& file = *result.add_output_files();
  file.set_path("x.o");
  cache::set_digest(base::digest_of(content), *file.mutable_digest());
  return result;
}

}  // namespace

TEST_CASE("a look-up asks for everything at once") {
  ActionCacheWorld world;
  world.server.put("object");
  world.server.put_result(engine::kAction, result_with("object"));
  auto got = world.get();
  REQUIRE(got);
  REQUIRE(*got);
  CHECK((*got)->output_files(0).contents() == "object");

  auto requests = world.server.requests<reapi::GetActionResultRequest>("GetActionResult");
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].instance_name() == "main/team");
  CHECK(requests[0].digest_function() == reapi::DigestFunction::SHA256);
  CHECK(requests[0].inline_stdout());
  CHECK(requests[0].inline_stderr());
  REQUIRE(requests[0].inline_output_files_size() == 2);
  CHECK(requests[0].inline_output_files(1) == "x.d");
  CHECK(requests[0].action_digest().hash() == engine::kAction.hex());
  CHECK(requests[0].action_digest().size_bytes() == engine::kAction.size);
}

TEST_CASE("an entry that is not there, or has holes, is a miss") {
  ActionCacheWorld world;
  auto miss = world.get();
  REQUIRE(miss);
  CHECK_FALSE(miss->has_value());

  world.server.traits()->refuses_holes = true;
  world.server.put_result(engine::kAction, result_with("gone"));
  miss = world.get();
  REQUIRE(miss);
  CHECK_FALSE(miss->has_value());
  CHECK(world.server.count("GetActionResult") == 2);
}

TEST_CASE("a look-up is tried again after a passing failure, and no other") {
  ActionCacheWorld world;
  world.server.put_result(engine::kAction, result_with("object"));
  world.server.fail("GetActionResult", {grpc::StatusCode::UNAVAILABLE, "restarting"});
  auto got = world.get();
  REQUIRE(got);
  CHECK(got->has_value());
  CHECK(world.server.count("GetActionResult") == 2);

  world.server.fail("GetActionResult", {grpc::StatusCode::INVALID_ARGUMENT, "what instance?"});
  got = world.get();
  REQUIRE_FALSE(got);
  CHECK(got.error().cause == remote::Cause::invalid);
  CHECK(world.server.count("GetActionResult") == 3);
}

TEST_CASE("an answer of a failed attempt leaves nothing behind") {
  ActionCacheWorld world;
  world.server.put_result(engine::kAction, result_with("object"));
  std::stop_source stop;
  stop.request_stop();
  auto got = world.get(stop.get_token());
  REQUIRE_FALSE(got);
  CHECK(got.error().cause == remote::Cause::cancelled);
  CHECK(world.server.count("GetActionResult") == 0);
}

TEST_CASE("an update stores the entry as it is") {
  ActionCacheWorld world;
  REQUIRE(world.cache.update({}, engine::kAction, result_with("object"), {}));
  auto requests = world.server.requests<reapi::UpdateActionResultRequest>("UpdateActionResult");
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].instance_name() == "main/team");
  CHECK(requests[0].digest_function() == reapi::DigestFunction::SHA256);
  CHECK(requests[0].results_cache_policy().priority() == 0);
  REQUIRE(world.server.result(engine::kAction));
  CHECK(world.server.result(engine::kAction)->SerializeAsString() ==
        result_with("object").SerializeAsString());
}

TEST_CASE("a refused update says so") {
  for (auto [code, cause] : {std::pair(grpc::StatusCode::PERMISSION_DENIED, remote::Cause::denied),
                             std::pair(grpc::StatusCode::UNAUTHENTICATED, remote::Cause::unauthenticated),
                             std::pair(grpc::StatusCode::UNIMPLEMENTED, remote::Cause::unimplemented)}) {
    ActionCacheWorld world;
    world.server.fail("UpdateActionResult", {code, "no"}, 2);
    remote::Remote<void> done = world.cache.update({}, engine::kAction, result_with("object"), {});
    REQUIRE_FALSE(done);
    CHECK(done.error().cause == cause);
    CHECK(world.server.count("UpdateActionResult") == 1);
  }
}
