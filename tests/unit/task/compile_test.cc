#include "task/compile.h"

#include <doctest/doctest.h>

#include "fake/task_world.h"

using task::Result;
using Words = std::vector<std::string>;

TEST_CASE("the first compile runs, the second is answered, and both leave the same bytes") {
  fake::TaskWorld world;
  world.write("x.cc", "#include \"a.h\"\nint x = A;\n");
  world.write("a.h", "#define A 1\n");
  Words argv = {"g++", "-MD", "-MF", "x.d", "-c", "x.cc", "-o", "x.o"};
  CHECK(world.compile(argv).ran);
  CHECK(world.last().result == Result::local_exec);
  CHECK(world.last().reason.empty());
  std::string object = world.read("x.o");
  std::string depfile = world.read("x.d");
  REQUIRE(!object.empty());
  world.remove("x.o");
  world.remove("x.d");
  CHECK(!world.compile(argv).ran);
  CHECK(world.last().result == Result::local_hit);
  CHECK(world.read("x.o") == object);
  CHECK(world.read("x.d") == depfile);
  CHECK(world.client.orders.size() == 1);
}

TEST_CASE("a command that cannot be cached runs as typed, with its reason") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  CHECK(world.compile({"g++", "-fplugin=none.so", "-c", "x.cc"}).ran);
  CHECK(world.last().result == Result::failed);
  CHECK(!world.last().reason.empty());
  CHECK(!world.client.orders[0].capture);
  CHECK(world.client.orders[0].argv == Words{"/usr/bin/g++", "-fplugin=none.so", "-c", "x.cc"});
}

TEST_CASE("the user's wishes in the environment are followed") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  world.write("conftest.c", "int x;\n");
  Words argv = {"g++", "-c", "x.cc"};
  world.compile(argv);
  task::Request forced = world.request(argv);
  forced.env.push_back("GOMA_FALLBACK_INPUT_FILES=y.cc,x.cc");
  task::serve(world.services(), forced, world.client, {});
  CHECK(world.last().reason == "requested_by_user: x.cc");
  task::Request store = world.request(argv);
  store.env.push_back("GOMA_STORE_ONLY=true");
  task::serve(world.services(), store, world.client, {});
  CHECK(world.last().result == Result::local_exec);
  task::serve(world.services(), world.request({"g++", "-c", "conftest.c"}), world.client, {});
  CHECK(world.last().reason == "conftest: conftest.c");
}

TEST_CASE("an output that is no regular file is the compiler's business") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  world.compile({"g++", "-c", "x.cc", "-o", "/dev/null"});
  CHECK(world.last().result == Result::passthrough);
  CHECK(world.last().reason == "output_not_regular: /dev/null");
}

TEST_CASE("a gomacc that went away is counted as cancelled") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  world.client.vanished = true;
  world.compile({"g++", "-c", "x.cc"});
  CHECK(world.last().result == Result::cancelled);
  CHECK(world.history().active().empty());
}

TEST_CASE("words of a command are quoted for a shell") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  world.compile({"g++", "-DX=a b", "-DY='q'", "-c", "x.cc"});
  CHECK(world.history().find(1)->command == "g++ '-DX=a b' '-DY='\\''q'\\''' -c x.cc");
}

TEST_CASE("a disabled daemon leaves every compile to the compiler") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  world.services().enabled = false;
  for (int i = 0; i < 2; ++i) {
    CHECK(world.compile({"g++", "-c", "x.cc"}).ran);
    CHECK(world.last().result == Result::passthrough);
    CHECK(world.last().source == "x.cc");
  }
}
