#include "task/explain.h"

#include <doctest/doctest.h>

#include "fake/remote_world.h"
#include "fake/task_world.h"

namespace {

task::Reply ask(fake::TaskWorld& world, wire::Purpose purpose, const std::vector<std::string>& argv) {
  return task::serve(world.services(), world.request(argv, purpose), world.client, {});
}

}  // namespace

TEST_CASE("the inputs are printed sorted, one physical path a line") {
  fake::TaskWorld world;
  world.write("sub/a.h", "#define A\n");
  world.write("x.cc", "#include \"sub/../sub/a.h\"\n");
  task::Reply reply = ask(world, wire::Purpose::print_inputs, {"g++", "-c", "x.cc"});
  CHECK(reply.exit_code == 0);
  CHECK(reply.err.empty());
  CHECK(reply.out.find(world.work() + "/sub/a.h\n" + world.work() + "/x.cc\n") != std::string::npos);
}

TEST_CASE("a command that would run locally says so with exit code 3") {
  fake::TaskWorld world;
  task::Reply reply = ask(world, wire::Purpose::print_inputs, {"g++", "-c", "none.cc"});
  CHECK(reply.exit_code == 3);
  CHECK(reply.out.empty());
  CHECK(reply.err.starts_with("gomacc: "));
}

TEST_CASE("an explanation compiles nothing and is no task") {
  fake::TaskWorld world;
  world.write("x.cc", "int x;\n");
  task::Reply before = ask(world, wire::Purpose::explain, {"g++", "-c", "x.cc"});
  CHECK(before.out.find("compiled locally, then kept") != std::string::npos);
  CHECK(world.client.orders.empty());
  CHECK(world.history().totals().started == 0);
  world.compile({"g++", "-c", "x.cc"});
  task::Reply after = ask(world, wire::Purpose::explain, {"g++", "-c", "x.cc"});
  CHECK(after.out.find("answered from the embedded cache") != std::string::npos);
  task::Reply refused = ask(world, wire::Purpose::explain, {"g++", "-fplugin=x.so", "-c", "x.cc"});
  CHECK(refused.out.find("runs locally, not cached") != std::string::npos);
}

TEST_CASE("with a cluster it says who would answer, and what binds a compile to this machine") {
  fake::RemoteWorld remote;
  remote.world.services().remote = &remote.side;
  auto explain = [&](const std::vector<std::string>& argv) {
    task::Request request = remote.world.request(argv, wire::Purpose::explain);
    return task::serve(remote.world.services(), request, remote.world.client, {}).out;
  };
  std::string text = explain(fake::RemoteWorld::command());
  CHECK(text.find("else executed there") != std::string::npos);
  CHECK(text.find("bound here") == std::string::npos);
  text = explain({"g++", "-fsanitize=address", "-c", "x.cc", "-o", "x.o"});
  CHECK(text.find("else compiled locally") != std::string::npos);
  CHECK(text.find("bound here  absolute_form: ") != std::string::npos);
}
