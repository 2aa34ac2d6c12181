#include "base/spawn.h"

#include <doctest/doctest.h>

#include <thread>

namespace {

base::SpawnRequest shell(const std::string& script) {
  base::SpawnRequest request;
  request.argv = {"/bin/sh", "-c", script};
  request.env = {"PATH=/usr/bin:/bin", "MARK=here"};
  request.directory = "/";
  return request;
}

}  // namespace

TEST_CASE("both streams and the exit code come back") {
  base::Result<base::SpawnOutcome> outcome =
      base::real_spawner().run(shell("echo out; echo $MARK >&2; pwd; exit 7"), {});
  REQUIRE(outcome.ok());
  CHECK(outcome->exit_code == 7);
  CHECK(outcome->out == "out\n/\n");
  CHECK(outcome->err == "here\n");
}

TEST_CASE("big output on both streams does not block") {
  base::Result<base::SpawnOutcome> outcome =
      base::real_spawner().run(shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"), {});
  REQUIRE(outcome.ok());
  CHECK(outcome->out.size() == 1'000'000);
  CHECK(outcome->err.size() == 1'000'000);
}

TEST_CASE("input is fed, and a reader that stops early does no harm") {
  base::SpawnRequest request = shell("head -c 3");
  request.input = std::string(1'000'000, 'y');
  base::Result<base::SpawnOutcome> outcome = base::real_spawner().run(request, {});
  REQUIRE(outcome.ok());
  CHECK(outcome->out == "yyy");
}

TEST_CASE("a signal is told by the exit code") {
  CHECK(base::real_spawner().run(shell("kill -9 $$"), {})->exit_code == 128 + 9);
}

TEST_CASE("a program that is not there is an error") {
  base::SpawnRequest request = shell("");
  request.argv = {"/nonexistent/program"};
  CHECK(base::real_spawner().run(request, {}).error().kind == base::ErrorKind::io);
}

TEST_CASE("the time limit ends the program and what it started") {
  base::SpawnRequest request = shell("sleep 1000 & sleep 1000");
  request.limit = std::chrono::milliseconds(50);
  CHECK(base::real_spawner().run(request, {}).error().kind == base::ErrorKind::transient);
}

TEST_CASE("a stop ends the program") {
  std::stop_source stop;
  std::thread later([&] { stop.request_stop(); });
  CHECK(base::real_spawner().run(shell("sleep 1000"), stop.get_token()).error().kind ==
        base::ErrorKind::cancelled);
  later.join();
}
