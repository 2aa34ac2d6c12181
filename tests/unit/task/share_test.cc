#include "task/share.h"

#include <doctest/doctest.h>

#include "fake/remote_world.h"

TEST_CASE("a local result is offered to the cache, entry and blobs and messages") {
  fake::RemoteWorld remote(remote::Mode::cache_only);
  remote.make_result();
  remote.world.compile(fake::RemoteWorld::command());
  REQUIRE(remote.share().wait_idle(std::chrono::seconds(20)));
  CHECK(remote.share().counts().sent == 1);
  fake::BackendCalls calls = remote.backend->calls();
  REQUIRE(calls.updates.size() == 1);
  CHECK(calls.updates[0].action == remote.action);
  CHECK(calls.updates[0].outcome.files.size() == remote.answer.outcome.files.size());
  // Its outputs, the Action and the Command.
  CHECK(calls.updates[0].sources.size() == remote.answer.outcome.files.size() + 2);
}

TEST_CASE("nothing is offered where nothing may be written") {
  fake::RemoteWorld remote(remote::Mode::cache_only);
  remote.make_result();
  remote.backend->set_rights({true, false, false});
  remote.world.compile(fake::RemoteWorld::command());
  CHECK(remote.world.last().result == task::Result::local_exec);
  CHECK(remote.share().counts().queued == 0);
  CHECK(remote.share().counts().sent == 0);
  CHECK(remote.backend->calls().updates.empty());
}

TEST_CASE("a refused offer is counted and the next one is made") {
  fake::RemoteWorld remote(remote::Mode::cache_only);
  remote.make_result();
  remote.backend->fail_updates(remote::Failure{remote::Cause::unavailable, "no"});
  remote.world.compile(fake::RemoteWorld::command());
  REQUIRE(remote.share().wait_idle(std::chrono::seconds(20)));
  CHECK(remote.share().counts().failed == 1);
  remote.backend->fail_updates(std::nullopt);
  remote.share().offer({{}, remote.action, "", ""});
  REQUIRE(remote.share().wait_idle(std::chrono::seconds(20)));
  CHECK(remote.share().counts().sent == 1);
}

TEST_CASE("an offer whose entry is gone is not sent") {
  fake::RemoteWorld remote(remote::Mode::cache_only);
  remote.share().offer({{}, base::digest_of("unknown"), "", ""});
  REQUIRE(remote.share().wait_idle(std::chrono::seconds(20)));
  CHECK(remote.share().counts().failed == 1);
  CHECK(remote.backend->calls().updates.empty());
}
