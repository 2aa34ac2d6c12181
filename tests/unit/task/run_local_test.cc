#include "task/run_local.h"

#include <doctest/doctest.h>

#include "fake/task_world.h"

using task::Result;
using Words = std::vector<std::string>;

TEST_CASE("a failed compile is counted and not kept") {
  fake::TaskWorld world;
  world.write("x.cc", "int x = y;\n");
  CHECK(world.compile({"g++", "-c", "x.cc"}).ran);
  CHECK(world.last().result == Result::failed);
  CHECK(world.last().exit_code == 1);
  CHECK(world.store().stats().outcomes == 0);
}

TEST_CASE("the user's -MMD depfile is written, on the miss and on the hit, as the compiler would") {
  fake::TaskWorld world;
  world.write("x.cc", "#include <stdio.h>\n#include \"a.h\"\nint x;\n");
  world.write("a.h", "");
  Words argv = {"g++", "-MMD", "-c", "x.cc", "-o", "x.o"};
  world.compile(argv);
  CHECK(world.client.orders[0].again_if_lost);
  CHECK(world.last().reason.empty());
  CHECK(world.read("x.d") == "x.o: x.cc a.h\n");
  world.remove("x.d");
  world.compile(argv);
  CHECK(world.last().result == Result::local_hit);
  CHECK(world.read("x.d") == "x.o: x.cc a.h\n");
}

TEST_CASE("gomacc is told every output, and nothing of ours stays behind") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  world.compile({"g++", "-fstack-usage", "-c", "x.cc", "-o", "x.o"});
  CHECK(world.client.orders[0].outputs == Words{"x.o", "x.su"});
  CHECK(world.last().reason.empty());
  CHECK(std::filesystem::is_empty(world.services().private_folder));
}

TEST_CASE("without room for a private depfile the command still runs, and is not kept") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  std::filesystem::remove_all(world.services().private_folder);
  std::ofstream(world.services().private_folder) << "in the way";
  CHECK(world.compile({"g++", "-c", "x.cc"}).ran);
  CHECK(world.last().result == Result::local_exec);
  CHECK(world.last().reason.starts_with("no_depfile"));
  CHECK(world.exists("x.o"));
}

TEST_CASE("the folder of private depfiles is made again when it was cleared away") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  std::filesystem::remove_all(world.services().private_folder);
  CHECK(world.compile({"g++", "-c", "x.cc"}).ran);
  CHECK(world.last().reason.empty());
}

TEST_CASE("no slot, no compile: a stop in the queue is a cancelled task") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  std::stop_source stop;
  stop.request_stop();
  task::serve(world.services(), world.request({"g++", "-c", "x.cc"}), world.client, stop.get_token());
  CHECK(world.last().result == Result::cancelled);
  CHECK(world.client.orders.empty());
}
