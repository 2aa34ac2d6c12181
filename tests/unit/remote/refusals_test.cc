#include "remote/refusals.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"
#include "fake/fake_credentials.h"

using remote::Cause;
using remote::Right;

namespace {

struct RefusalsWorld {
  RefusalsWorld() { credentials.set(fake::bearer("reader")); }

  fake::FakeClock clock;
  fake::FakeCredentials credentials;
  remote::Refusals refusals{credentials, clock};

  void note(Right right, Cause cause) {
    refusals.note(right, remote::Failure{cause, "the server said no"}, credentials.version());
  }
};

}  // namespace

TEST_CASE("a refused right is given up until there are other credentials") {
  for (Cause cause : {Cause::denied, Cause::unauthenticated}) {
    RefusalsWorld world;
    CHECK(world.refusals.allows(Right::execute));
    world.note(Right::execute, cause);
    CHECK_FALSE(world.refusals.allows(Right::execute));
    CHECK(world.refusals.allows(Right::read));
    CHECK(world.refusals.allows(Right::update));
    CHECK(world.refusals.reason() == "the server said no");

    world.clock.advance(std::chrono::hours(24));
    CHECK_FALSE(world.refusals.allows(Right::execute));
    world.credentials.set(fake::bearer("maintainer"));
    CHECK(world.refusals.allows(Right::execute));
    CHECK(world.refusals.reason().empty());
  }
}

TEST_CASE("without headers, a client certificate may have been replaced after a while") {
  for (Cause cause : {Cause::denied, Cause::unauthenticated}) {
    RefusalsWorld world;
    world.credentials.set({});
    world.note(Right::read, cause);
    world.clock.advance(std::chrono::minutes(9));
    CHECK_FALSE(world.refusals.allows(Right::read));
    world.clock.advance(std::chrono::minutes(2));
    CHECK(world.refusals.allows(Right::read));
  }
}

TEST_CASE("a refusal of old credentials says nothing of new ones") {
  RefusalsWorld world;
  std::uint64_t old = world.credentials.version();
  world.credentials.set(fake::bearer("maintainer"));
  world.refusals.note(Right::execute, remote::Failure{Cause::denied, "no"}, old);
  CHECK(world.refusals.allows(Right::execute));
}

TEST_CASE("credentials that were renewed for the call and refused again count") {
  RefusalsWorld world;
  std::uint64_t old = world.credentials.version();
  world.credentials.set(fake::bearer("no better"));
  world.refusals.note(Right::execute, remote::Failure{Cause::unauthenticated, "no"}, old);
  CHECK_FALSE(world.refusals.allows(Right::execute));
}

TEST_CASE("an action without a worker stops executions for a minute") {
  RefusalsWorld world;
  world.note(Right::execute, Cause::unplaceable);
  CHECK_FALSE(world.refusals.allows(Right::execute));
  CHECK(world.refusals.reason(Right::execute) == "the server said no");
  world.clock.advance(std::chrono::seconds(59));
  CHECK_FALSE(world.refusals.allows(Right::execute));
  world.clock.advance(std::chrono::seconds(1));
  CHECK(world.refusals.allows(Right::execute));

  world.note(Right::update, Cause::unplaceable);
  CHECK(world.refusals.allows(Right::update));
}

TEST_CASE("what the server does not know is asked again later, or with other credentials") {
  RefusalsWorld world;
  world.note(Right::update, Cause::unimplemented);
  CHECK_FALSE(world.refusals.allows(Right::update));
  world.clock.advance(std::chrono::minutes(10));
  CHECK(world.refusals.allows(Right::update));

  world.note(Right::update, Cause::unimplemented);
  world.credentials.set(fake::bearer("other"));
  CHECK(world.refusals.allows(Right::update));
}

TEST_CASE("other failures are no refusals") {
  RefusalsWorld world;
  for (Cause cause : {Cause::unavailable, Cause::exhausted, Cause::timed_out, Cause::missing_blobs,
                      Cause::engine, Cause::invalid, Cause::cancelled, Cause::local}) {
    world.note(Right::execute, cause);
    CHECK(world.refusals.allows(Right::execute));
  }
}

TEST_CASE("a refusal without words has some") {
  RefusalsWorld world;
  world.refusals.note(Right::read, remote::Failure{Cause::denied, ""}, world.credentials.version());
  CHECK_FALSE(world.refusals.allows(Right::read));
  CHECK(world.refusals.reason() == "denied");
}
