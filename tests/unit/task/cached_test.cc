#include "task/cached.h"

#include <doctest/doctest.h>

#include "fake/task_world.h"

namespace {

std::shared_ptr<task::Unit> unit_with(std::vector<task::Destination> destinations) {
  auto unit = std::make_shared<task::Unit>();
  unit->action = base::digest_of("action");
  unit->destinations = std::move(destinations);
  return unit;
}

std::optional<task::Reply> answer(fake::TaskWorld& world, const std::shared_ptr<task::Unit>& unit) {
  task::Request request = world.request({"g++"});
  task::Task task{world.services(), request, world.client, {}, {}, 0};
  return task::answer_from_cache(task, *unit);
}

using Kind = task::Destination::Kind;

}  // namespace

TEST_CASE("outputs and messages come back, the private depfile does not") {
  fake::TaskWorld world;
  cache::Outcome outcome;
  outcome.err = "warning\n";
  outcome.files = {{"x.goma.d", *world.store().add("x.o: x.cc\n"), false},
                   {"x.o", *world.store().add("object"), false}};
  REQUIRE(world.store().keep(base::digest_of("action"), outcome).ok());
  std::shared_ptr<task::Unit> unit =
      unit_with({{"x.o", "x.o", Kind::file, true}, {"x.goma.d", "", Kind::private_only, false}});
  std::optional<task::Reply> reply = answer(world, unit);
  REQUIRE(reply.has_value());
  CHECK(reply->err == "warning\n");
  CHECK(reply->strip == wire::kStripStderr);
  CHECK(world.read("x.o") == "object");
  CHECK(!world.exists("x.goma.d"));
}

TEST_CASE("an entry with a hole is a miss and writes nothing") {
  fake::TaskWorld world;
  cache::Outcome outcome;
  outcome.files = {{"x.o", *world.store().add("object"), false}};
  REQUIRE(world.store().keep(base::digest_of("action"), outcome).ok());
  CHECK(!answer(world, unit_with({{"x.o", "x.o", Kind::file, true}, {"x.dwo", "x.dwo", Kind::file, true}})));
  CHECK(!world.exists("x.o"));
  CHECK(answer(world, unit_with({{"x.o", "x.o", Kind::file, true}, {"x.su", "x.su", Kind::file, false}})));
}

TEST_CASE("an output folder that is gone is a miss, so that the compiler can say so") {
  fake::TaskWorld world;
  cache::Outcome outcome;
  outcome.files = {{"none/x.o", *world.store().add("object"), false}};
  REQUIRE(world.store().keep(base::digest_of("action"), outcome).ok());
  CHECK(!answer(world, unit_with({{"none/x.o", "none/x.o", Kind::file, true}})));
}

TEST_CASE("the user's depfile has no system headers") {
  task::Unit unit;
  unit.system_names = {"/usr/include/a.h"};
  base::Result<std::string> text =
      task::user_depfile(unit, "x.o: x.cc /usr/include/a.h b.h\n/usr/include/a.h:\nb.h:\n");
  REQUIRE(text.ok());
  CHECK(*text == "x.o: x.cc b.h\nb.h:\n");
}

TEST_CASE("a portable depfile names this checkout") {
  fake::TaskWorld world;
  cache::Outcome outcome;
  outcome.err = "/proc/self/cwd/../x.cc:1: warning\n";
  outcome.files = {{"x.d", *world.store().add("x.o: /proc/self/cwd/../x.cc\n"), false}};
  REQUIRE(world.store().keep(base::digest_of("action"), outcome).ok());
  std::shared_ptr<task::Unit> unit = unit_with({{"x.d", "x.d", Kind::depfile, true}});
  unit->portable = true;
  unit->roots = {"/home/me", "/proc/self/cwd/.."};
  std::optional<task::Reply> reply = answer(world, unit);
  REQUIRE(reply.has_value());
  CHECK(world.read("x.d") == "x.o: /home/me/x.cc\n");
  CHECK(reply->err == "/home/me/x.cc:1: warning\n");
}
