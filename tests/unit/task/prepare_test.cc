#include "task/prepare.h"

#include <doctest/doctest.h>

#include "fake/task_world.h"

namespace {

using Words = std::vector<std::string>;

base::Result<task::Prepared> prepare(fake::TaskWorld& world, const Words& argv) {
  task::Request request = world.request(argv);
  task::Task task{world.services(), request, world.client, {}, {}, 0};
  task::refresh_index(task);
  return task::prepare(task, {});
}

}  // namespace

TEST_CASE("the fingerprint tells commands, folders, variables and PATH apart") {
  fake::TaskWorld world;
  task::Request request = world.request({"g++", "-c", "x.cc"});
  base::Digest first = task::fingerprint(request, {"A=1"});
  CHECK(first == task::fingerprint(request, {"A=1"}));
  CHECK(first != task::fingerprint(request, {"A=2"}));
  task::Request other = request;
  other.argv = {"g++", "-cx.cc"};
  CHECK(first != task::fingerprint(other, {"A=1"}));
  other = request;
  other.directory = "/elsewhere";
  CHECK(first != task::fingerprint(other, {"A=1"}));
  other = request;
  other.compiler = "/usr/bin/c++";
  CHECK(first != task::fingerprint(other, {"A=1"}));
  other = request;
  other.env = {"PATH=/opt/bin"};
  CHECK(first != task::fingerprint(other, {"A=1"}));
}

TEST_CASE("a prepared command knows its outputs, its key, and when it is stale") {
  fake::TaskWorld world;
  world.write("x.cc", "#include \"a.h\"\nint x = A;\n");
  world.write("a.h", "#define A 1\n");
  base::Result<task::Prepared> prepared = prepare(world, {"g++", "-c", "x.cc", "-o", "x.o"});
  REQUIRE(prepared.ok());
  CHECK(prepared->unit->source == "x.cc");
  CHECK(prepared->unit->output == "x.o");
  CHECK(prepared->unit->action == prepared->action.digest);
  REQUIRE(prepared->unit->destinations.size() == 2);
  CHECK(prepared->unit->destinations[0].kind == task::Destination::Kind::file);
  CHECK(prepared->unit->destinations[1].kind == task::Destination::Kind::private_only);
  CHECK(prepared->unit->valid(world.services().index, base::real_files()));
  world.write("a.h", "#define A 2\n");
  world.services().index.refresh();
  CHECK(!prepared->unit->valid(world.services().index, base::real_files()));
  base::Result<task::Prepared> again = prepare(world, {"g++", "-c", "x.cc", "-o", "x.o"});
  CHECK(again->action.digest != prepared->action.digest);
}

TEST_CASE("the absolute form is another key for the same command") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  task::Request request = world.request({"g++", "-c", "x.cc"});
  task::Task task{world.services(), request, world.client, {}, {}, 0};
  task::refresh_index(task);
  base::Result<task::Prepared> prepared = task::prepare(task, {});
  REQUIRE(prepared.ok());
  REQUIRE(prepared->action.portable);
  base::Digest portable = prepared->action.digest;
  REQUIRE(task::use_absolute_form(task, *prepared).ok());
  CHECK(!prepared->action.portable);
  CHECK(prepared->unit->action != portable);
}

TEST_CASE("a source that expands the date is refused with its reason") {
  fake::TaskWorld world;
  world.write("x.cc", "const char *x = __DATE__;\n");
  base::Result<task::Prepared> prepared = prepare(world, {"g++", "-c", "x.cc"});
  REQUIRE(!prepared.ok());
  CHECK(prepared.error().label() == "time_macro");
}
