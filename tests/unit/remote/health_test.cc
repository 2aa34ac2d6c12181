#include "remote/health.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"

namespace {

using remote::Breaker;
using remote::Cause;
using std::chrono::microseconds;
using std::chrono::seconds;

const remote::Failure kTimedOut{Cause::timed_out, "no answer in time"};
const remote::Failure kLost{Cause::unavailable, "lost"};
const remote::Failure kRefused{Cause::unavailable, "refused", {}, {}, true};
const remote::Failure kDenied{Cause::denied, "no right"};

struct HealthWorld {
  fake::FakeClock clock;
  remote::Health health{clock};
  void refuse(int times) {
    for (int at = 0; at < times; ++at) health.failed(kRefused, clock.uptime());
  }
};

}  // namespace

TEST_CASE("ten failures in a row open the breaker, nine do not") {
  HealthWorld world;
  for (int at = 0; at < 9; ++at) world.health.failed(kTimedOut, world.clock.uptime());
  CHECK(world.health.allows());
  world.health.failed(kTimedOut, world.clock.uptime());
  CHECK_FALSE(world.health.allows());
  CHECK(world.health.state().breaker == Breaker::open);
  CHECK(world.health.state().open_until_s > 0);
}

TEST_CASE("a success between begins the row anew") {
  HealthWorld world;
  for (int round = 0; round < 3; ++round) {
    for (int at = 0; at < 8; ++at) world.health.succeeded(microseconds(5));
    for (int at = 0; at < 8; ++at) world.health.failed(kTimedOut, world.clock.uptime());
  }
  CHECK(world.health.allows());
}

TEST_CASE("three refused connections are enough") {
  HealthWorld world;
  world.refuse(2);
  CHECK(world.health.allows());
  world.health.succeeded(microseconds(1));
  world.refuse(2);
  CHECK(world.health.allows());
  world.refuse(1);
  CHECK_FALSE(world.health.allows());
}

TEST_CASE("more than half of many calls open it, though some succeed") {
  HealthWorld world;
  for (int at = 0; at < 6; ++at) {
    for (int bad = 0; bad < 2; ++bad) world.health.failed(kTimedOut, world.clock.uptime());
    if (at < 5) world.health.succeeded(microseconds(5));
  }
  CHECK(world.health.allows());  // 17 calls are too few to say
  world.health.succeeded(microseconds(5));
  for (int bad = 0; bad < 2; ++bad) world.health.failed(kTimedOut, world.clock.uptime());
  CHECK_FALSE(world.health.allows());
}

TEST_CASE("calls that one lost connection took down count once") {
  HealthWorld world;
  base::Nanoseconds before = world.clock.uptime();
  world.clock.advance(seconds(1));
  for (int at = 0; at < 64; ++at) world.health.failed(kLost, before);
  CHECK(world.health.allows());
  for (int at = 0; at < 9; ++at) {
    world.clock.advance(seconds(1));
    world.health.failed(kLost, world.clock.uptime());
  }
  CHECK_FALSE(world.health.allows());
}

TEST_CASE("an endpoint that says no is well") {
  HealthWorld world;
  for (int at = 0; at < 50; ++at) world.health.failed(kDenied, world.clock.uptime());
  CHECK(world.health.allows());
  CHECK(world.health.state().reached);
  CHECK(world.health.state().last_error == "no right");
}

TEST_CASE("one probe at a time after the pause, and its success closes") {
  HealthWorld world;
  world.refuse(3);
  world.clock.advance(seconds(1));
  CHECK_FALSE(world.health.allows());
  world.clock.advance(seconds(1));
  CHECK(world.health.state().breaker == Breaker::half_open);
  CHECK(world.health.allows());
  CHECK_FALSE(world.health.allows());
  world.health.succeeded(microseconds(7));
  CHECK(world.health.allows());
  CHECK(world.health.state().breaker == Breaker::closed);
  CHECK(world.health.state().last_error.empty());
  CHECK(world.health.state().open_until_s == 0);
}

TEST_CASE("a probe that tells nothing, or never ends, lets another through") {
  HealthWorld world;
  world.refuse(3);
  world.clock.advance(seconds(2));
  REQUIRE(world.health.allows());
  world.health.inconclusive();
  REQUIRE(world.health.allows());
  world.clock.advance(seconds(4));
  CHECK_FALSE(world.health.allows());
  world.clock.advance(seconds(1));
  CHECK(world.health.allows());
}

TEST_CASE("pauses double, to half a minute where a probe costs nothing and to five where it does") {
  for (const remote::Failure& failure : {kRefused, kTimedOut}) {
    HealthWorld world;
    for (int at = 0; at < 10; ++at) world.health.failed(failure, world.clock.uptime());
    std::int64_t pause = 0;
    for (int round = 0; round < 12; ++round) {
      for (pause = 0; !world.health.allows(); ++pause) world.clock.advance(seconds(1));
      if (round == 0) CHECK(pause == 2);
      if (round == 1) CHECK(pause == 4);
      world.health.failed(failure, world.clock.uptime());
    }
    CHECK(pause == (failure.unreachable ? 30 : 300));
  }
}

TEST_CASE("a success from before does not close an open breaker") {
  HealthWorld world;
  world.refuse(3);
  world.health.succeeded(microseconds(1));
  CHECK_FALSE(world.health.allows());
}

TEST_CASE("a failure from before the probe is not the probe's") {
  HealthWorld world;
  base::Nanoseconds before = world.clock.uptime();
  for (int at = 0; at < 10; ++at) world.health.failed(kTimedOut, before);
  world.clock.advance(seconds(2));
  REQUIRE(world.health.allows());
  base::Nanoseconds began = world.clock.uptime();
  world.clock.advance(seconds(1));
  world.health.failed(kTimedOut, before);
  CHECK(world.health.state().breaker == Breaker::half_open);
  CHECK_FALSE(world.health.allows());
  SUBCASE("which may succeed") {
    world.health.succeeded(microseconds(1));
    CHECK(world.health.state().breaker == Breaker::closed);
  }
  SUBCASE("which may fail") {
    world.health.failed(kTimedOut, began);
    CHECK(world.health.state().breaker == Breaker::open);
    world.clock.advance(seconds(4));
    CHECK(world.health.allows());
  }
}

TEST_CASE("latency is smoothed, and calls without one leave it") {
  HealthWorld world;
  CHECK_FALSE(world.health.state().reached);
  world.health.succeeded(microseconds(800));
  world.health.succeeded(microseconds(1600));
  world.health.succeeded(microseconds(0));
  CHECK(world.health.state().latency_us == 900);
}

TEST_CASE("losses are counted, refusals of other kinds are not") {
  HealthWorld world;
  std::uint64_t before = world.health.losses();
  world.health.failed(kDenied, world.clock.uptime());
  CHECK(world.health.losses() == before);
  world.health.failed(kLost, world.clock.uptime());
  CHECK(world.health.losses() > before);
}
