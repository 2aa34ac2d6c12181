#include "task/race.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <stop_token>
#include <thread>

#include "fake/remote_world.h"

namespace {

using fake::RemoteWorld;

remote::Failure failure(remote::Cause cause) { return {cause, "the fake engine says no"}; }

// The compiles among what was sent to the engine; the rest are probes.
std::size_t compiles(const RemoteWorld& world) {
  std::size_t count = 0;
  for (const remote::Job& job : world.backend->calls().jobs) count += job.output_paths.empty() ? 0 : 1;
  return count;
}

}  // namespace

TEST_CASE("an entry of the cluster's cache answers, and is kept") {
  RemoteWorld remote;
  std::string object = remote.make_result();
  remote.backend->put_entry(remote.action, remote.answer);
  task::Reply reply = fake::compile_without_race(remote);
  CHECK(!reply.ran);
  CHECK(reply.exit_code == 0);
  CHECK(remote.world.last().result == task::Result::remote_hit);
  CHECK(remote.world.read("x.o") == object);
  CHECK(remote.world.client.orders.empty());
  CHECK(remote.backend->calls().jobs.empty());
  // The next one is answered here.
  remote.world.remove("x.o");
  fake::compile_without_race(remote);
  CHECK(remote.world.last().result == task::Result::local_hit);
  CHECK(remote.backend->calls().lookups.size() == 1);
}

TEST_CASE("a miss is executed after the worker's files were confirmed") {
  RemoteWorld remote;
  std::string object = remote.make_result();
  remote.confirm_everything();
  remote.backend->put_result(remote.action, remote.answer);
  fake::compile_without_race(remote);
  INFO(remote.world.last().reason);
  CHECK(remote.world.last().result == task::Result::remote_exec);
  CHECK(remote.world.read("x.o") == object);
  CHECK(remote.world.client.orders.empty());
  CHECK(compiles(remote) == 1);
  CHECK(remote.backend->calls().jobs.size() == 2);
  // The engine gets every message and every file of the project.
  const remote::Job job = remote.backend->calls().jobs.back();
  CHECK(job.action == remote.action);
  int files = 0;
  for (const remote::Source& source : job.sources) files += source.path.empty() ? 0 : 1;
  CHECK(files == 2);
}

TEST_CASE("a worker that lacks a header gets no compile") {
  RemoteWorld remote;
  remote.make_result();
  remote.backend->before_execute = [&](const remote::Job& job) {
    remote::Answer bad;
    bad.outcome.out = "end of probe\n";
    remote.backend->put_result(job.action, bad);
  };
  fake::compile_without_race(remote);
  CHECK(remote.world.last().result == task::Result::local_exec);
  CHECK(compiles(remote) == 0);
  CHECK(remote.world.last().reason.find("on the worker") != std::string::npos);
  CHECK(remote.world.exists("x.o"));
}

TEST_CASE("a compiler that only seems to lie in the exec root is confirmed as well") {
  RemoteWorld remote;
  remote.world.write(".goma.json", "{}");
  std::error_code error;
  std::filesystem::create_symlink("/usr/bin/g++", remote.world.work() + "/g++", error);
  REQUIRE(!error);
  remote.side.toolchain = remote::Toolchain::inside;
  remote.world.services().remote = &remote.side;
  task::Request request = remote.world.request(RemoteWorld::command());
  request.compiler = remote.world.work() + "/g++";
  request.env.push_back("GOMA_USE_LOCAL=false");
  std::string asked;
  remote.backend->before_execute = [&](const remote::Job& job) {
    for (const remote::Source& source : job.sources) asked += source.bytes;
  };
  task::serve(remote.world.services(), request, remote.world.client, {});
  CHECK(remote.world.last().result == task::Result::local_exec);
  INFO(remote.world.last().reason);
  CHECK(compiles(remote) == 0);
  CHECK(asked.find("/cc1plus\n") != std::string::npos);
}

TEST_CASE("what the cluster cannot do is compiled here") {
  for (remote::Cause cause : {remote::Cause::unavailable, remote::Cause::engine, remote::Cause::unplaceable,
                              remote::Cause::action_timeout, remote::Cause::exhausted}) {
    RemoteWorld remote;
    std::string object = remote.make_result();
    remote.backend->fail_executions(failure(cause));
    task::Reply reply = fake::compile_without_race(remote);
    CHECK(reply.ran);
    CHECK(remote.world.last().result == task::Result::local_exec);
    CHECK(remote.world.read("x.o") == object);
  }
}

TEST_CASE("a compile error of the worker is seen from the compiler here") {
  RemoteWorld remote;
  remote.make_result();
  remote.confirm_everything();
  remote::Answer bad = remote.answer;
  bad.outcome.exit_code = 1;
  bad.outcome.files.clear();
  remote.backend->put_result(remote.action, bad);
  task::Reply reply = fake::compile_without_race(remote);
  CHECK(reply.ran);
  CHECK(remote.world.last().result == task::Result::local_exec);
}

TEST_CASE("an entry whose blobs are gone is a miss, and is not asked for again") {
  RemoteWorld remote;
  std::string object = remote.make_result();
  remote.confirm_everything();
  remote.backend->put_entry(remote.action, remote.answer);
  for (const cache::OutputFile& file : remote.answer.outcome.files) remote.backend->drop_blob(file.digest);
  fake::compile_without_race(remote);
  CHECK(remote.world.last().result == task::Result::local_exec);
  CHECK(remote.world.read("x.o") == object);
  CHECK(remote.backend->calls().jobs.back().skip_cache);
}

TEST_CASE("a local compile that loses is over before the winner's files are written") {
  RemoteWorld remote;
  std::string object = remote.make_result();
  remote.confirm_everything();
  remote.backend->put_result(remote.action, remote.answer);
  // The engine answers while the local side runs.
  remote.backend->hold_executions();
  remote.world.client.before_run = [&] {
    remote.backend->let_executions_go();
    return true;  // until it is told to stop
  };
  task::Reply reply = remote.world.compile(RemoteWorld::command());
  CHECK(!reply.ran);
  CHECK(remote.world.last().result == task::Result::remote_exec);
  CHECK(remote.world.client.stopped == 1);
  CHECK(remote.world.read("x.o") == object);
}

TEST_CASE("a remote side that loses is cancelled") {
  RemoteWorld remote;
  std::string object = remote.make_result();
  remote.world.services().key.list_outside = false;  // no probe, which nobody's stop ends
  remote.backend->hold_executions();
  task::Reply reply = remote.world.compile(RemoteWorld::command());
  CHECK(reply.ran);
  CHECK(remote.world.last().result == task::Result::local_exec);
  CHECK(remote.world.read("x.o") == object);
  CHECK(remote.backend->wait_until([](const fake::BackendCalls& calls) { return calls.stopped == 1; }));
}

TEST_CASE("a task that may not race is cancelled with its gomacc, and the engine is told") {
  RemoteWorld remote;
  remote.make_result();
  remote.world.services().key.list_outside = false;  // nothing to be probed: the task calls by itself
  remote.backend->hold_executions();
  task::Request request = remote.world.request(RemoteWorld::command());
  request.env.push_back("GOMA_USE_LOCAL=false");
  std::stop_source stop;
  std::thread::id caller;
  remote.backend->before_execute = [&](const remote::Job&) {
    caller = std::this_thread::get_id();
    stop.request_stop();
  };
  task::Reply reply = task::serve(remote.world.services(), request, remote.world.client, stop.get_token());
  CHECK(reply.lost);
  CHECK(caller == std::this_thread::get_id());
  CHECK(remote.world.last().result == task::Result::cancelled);
  CHECK(remote.backend->calls().stopped == 1);
  CHECK(remote.world.client.orders.empty());
}

TEST_CASE("an answer is taken in turn with the tasks that are being prepared") {
  RemoteWorld remote;
  std::string object = remote.make_result();
  remote.backend->put_entry(remote.action, remote.answer);
  base::Gate& gate = remote.world.services().gates.cpu;
  std::vector<base::Pass> others;
  remote.backend->before_lookup = [&](const base::Digest&) {
    while (gate.inside() < gate.limit()) others.push_back(std::move(*gate.enter({})));
  };
  task::Request request = remote.world.request(RemoteWorld::command());
  request.env.insert(request.env.end(), {"GOMA_USE_LOCAL=false", "GOMA_FALLBACK=false"});
  std::stop_source stop;
  task::Reply reply;
  std::thread compile(
      [&] { reply = task::serve(remote.world.services(), request, remote.world.client, stop.get_token()); });
  base::Nanoseconds began = base::real_clock().uptime();
  while (gate.waiting() == 0 && base::real_clock().uptime() < began + std::chrono::seconds(60)) {
    std::this_thread::yield();
  }
  CHECK(gate.waiting() == 1);
  CHECK(!remote.world.exists("x.o"));

  SUBCASE("it waits for a processor") {
    others.clear();
    compile.join();
    CHECK(remote.world.last().result == task::Result::remote_hit);
    CHECK(remote.world.read("x.o") == object);
  }

  SUBCASE("or until gomacc is gone") {
    stop.request_stop();
    compile.join();
    CHECK(reply.lost);
    CHECK(remote.world.last().result == task::Result::cancelled);
    CHECK(!remote.world.exists("x.o"));
  }
  CHECK(remote.world.client.orders.empty());
}

TEST_CASE("GOMA_FALLBACK=false runs nothing here that a cluster could run") {
  RemoteWorld remote;
  remote.make_result();
  remote.backend->fail_executions(failure(remote::Cause::engine));
  task::Request request = remote.world.request(RemoteWorld::command());
  request.env.push_back("GOMA_FALLBACK=false");
  task::Reply reply = task::serve(remote.world.services(), request, remote.world.client, {});
  CHECK(!reply.ran);
  CHECK(reply.exit_code == 1);
  CHECK(reply.err.find("the fake engine says no") != std::string::npos);
  CHECK(remote.world.client.orders.empty());
  CHECK(!remote.world.exists("x.o"));
}

TEST_CASE("cache-only never executes, and compiles misses here") {
  RemoteWorld remote(remote::Mode::cache_only);
  std::string object = remote.make_result();
  fake::compile_without_race(remote);
  CHECK(remote.world.last().result == task::Result::local_exec);
  CHECK(remote.world.last().reason.empty());
  CHECK(remote.backend->calls().lookups.size() == 1);
  CHECK(remote.backend->calls().jobs.empty());
  CHECK(remote.world.read("x.o") == object);
}
