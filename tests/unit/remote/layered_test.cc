#include "remote/layered.h"

#include <doctest/doctest.h>

#include "fake/fake_backend.h"
#include "remote/connection.h"

namespace {

struct LayeredWorld {
  fake::FakeBackend first;
  fake::FakeBackend second;
  remote::Layered both{first, second};
  base::Digest action = base::digest_of("action");

  remote::Remote<std::optional<remote::Answer>> lookup() { return both.lookup({}, action, {}, {}); }
  void put_both() {
    remote::Answer answer;
    answer.worker = "first";
    first.put_entry(action, answer);
    answer.worker = "second";
    second.put_entry(action, answer);
  }
};

const remote::Failure kDead{remote::Cause::unavailable, "dead"};

}  // namespace

TEST_CASE("the second is asked only for what the first does not have") {
  LayeredWorld world;
  world.put_both();
  CHECK((*world.lookup())->worker == "first");
  CHECK(world.second.calls().lookups.empty());
  base::Digest elsewhere = base::digest_of("elsewhere");
  world.second.put_entry(elsewhere, {});
  CHECK(world.both.lookup({}, elsewhere, {}, {})->has_value());
  CHECK(!world.both.lookup({}, base::digest_of("nowhere"), {}, {})->has_value());
}

TEST_CASE("one that fails or may not be asked is made up for by the other") {
  LayeredWorld world;
  world.put_both();
  world.first.fail_lookups(kDead);
  CHECK((*world.lookup())->worker == "second");
  world.first.fail_lookups(std::nullopt);
  world.first.set_available(false);
  CHECK((*world.lookup())->worker == "second");
  world.first.set_available(true);
  world.first.set_rights({false, false, false});
  CHECK((*world.lookup())->worker == "second");
  CHECK(world.first.calls().lookups.size() == 1);
}

TEST_CASE("a miss of one and a failure of the other is a miss; two failures are a failure") {
  LayeredWorld world;
  world.second.fail_lookups(kDead);
  CHECK(world.lookup().ok());
  world.first.fail_lookups(kDead);
  CHECK(!world.lookup().ok());
}

TEST_CASE("blobs are collected from both") {
  LayeredWorld world;
  base::Digest one = world.first.put_blob("one");
  base::Digest two = world.second.put_blob("two");
  remote::Remote<remote::Contents> got = world.both.fetch({}, {one, two, base::digest_of("none")}, {});
  REQUIRE(got.ok());
  CHECK(got->size() == 2);
  CHECK(world.second.calls().fetches.front().size() == 2);
  world.first.fail_fetches(kDead);
  CHECK(world.both.fetch({}, {two}, {})->size() == 1);
  world.second.fail_fetches(kDead);
  CHECK(!world.both.fetch({}, {two}, {}).ok());
  world.first.fail_fetches(std::nullopt);
  CHECK(world.both.fetch({}, {one, two}, {})->size() == 1);
}

TEST_CASE("a stop between the two ends it") {
  LayeredWorld world;
  std::stop_source stop;
  world.first.before_lookup = [&](const base::Digest&) { stop.request_stop(); };
  CHECK(!world.both.lookup({}, world.action, {}, stop.get_token()).ok());
  CHECK(world.second.calls().lookups.empty());
}

TEST_CASE("it reads only") {
  LayeredWorld world;
  CHECK(world.both.rights().read);
  CHECK(!world.both.rights().execute);
  CHECK(!world.both.execute({}, {}, {}, {}).ok());
  CHECK(!world.both.update({}, world.action, {}, {}, {}).ok());
  CHECK(world.first.calls().updates.empty());
  CHECK(world.both.available());
  world.first.set_available(false);
  world.second.set_available(false);
  CHECK(!world.both.available());
}
