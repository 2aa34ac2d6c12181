#include "task/remote_run.h"

#include <doctest/doctest.h>

#include "fake/remote_world.h"

namespace {

using std::chrono::seconds;

struct RemoteRunFixture {
  fake::RemoteWorld remote;
  task::RemoteRun::Order order;

  RemoteRunFixture() {
    remote.make_result();
    order.job.action = remote.action;
    order.unit = "x.cc";
    order.required = {"x.o"};
    for (const cache::OutputFile& file : remote.answer.outcome.files) {
      order.job.output_paths.push_back(file.path);
    }
  }

  task::RemoteRun::Ending run() {
    std::shared_ptr<task::RemoteRun> run =
        task::RemoteRun::start(remote.side, remote.world.store(), base::real_clock(), order);
    REQUIRE(run->wait(seconds(60), {}));
    return run->take();
  }
};

}  // namespace

TEST_CASE("a hit comes with every blob") {
  RemoteRunFixture f;
  f.remote.backend->put_entry(f.remote.action, f.remote.answer);
  task::RemoteRun::Ending ending = f.run();
  REQUIRE(ending.answer);
  CHECK(!ending.executed);
  CHECK(ending.answer->contents.size() == f.remote.answer.outcome.files.size());
  CHECK(f.remote.times().estimate("x.cc").look_up_us > 0);
}

TEST_CASE("files that nobody asked for are left out") {
  RemoteRunFixture f;
  remote::Answer more = f.remote.answer;
  more.outcome.files.push_back({"core", base::digest_of("nowhere to be had"), false});
  f.remote.backend->put_entry(f.remote.action, more);
  task::RemoteRun::Ending ending = f.run();
  REQUIRE(ending.answer);
  CHECK(ending.answer->outcome.files.size() == f.remote.answer.outcome.files.size());
}

TEST_CASE("blobs that lie here are not fetched") {
  RemoteRunFixture f;
  f.remote.backend->put_entry(f.remote.action, f.remote.answer);
  for (const cache::OutputFile& file : f.remote.answer.outcome.files) {
    remote::Remote<remote::Contents> bytes = f.remote.backend->fetch({}, {file.digest}, {});
    REQUIRE(f.remote.world.store().add(bytes->begin()->second).ok());
  }
  std::size_t before = f.remote.backend->calls().fetches.size();
  CHECK(f.run().answer);
  CHECK(f.remote.backend->calls().fetches.size() == before);
}

TEST_CASE("a mere miss has no reason, a failure has one") {
  RemoteRunFixture f;
  task::RemoteRun::Ending ending = f.run();
  CHECK(!ending.answer);
  CHECK(ending.why.empty());
  f.remote.backend->fail_lookups(remote::Failure{remote::Cause::unavailable, "gone"});
  ending = f.run();
  CHECK(!ending.answer);
  CHECK(ending.why == "gone");
}

TEST_CASE("the engine learns that the cache does not know the action") {
  RemoteRunFixture f;
  f.order.execute = true;
  f.run();
  f.remote.backend->fail_lookups(remote::Failure{remote::Cause::unavailable, "gone"});
  f.run();
  f.order.look_up = false;
  f.run();
  std::vector<remote::Job> jobs = f.remote.backend->calls().jobs;
  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0].is_new);
  CHECK_FALSE(jobs[1].is_new);
  CHECK_FALSE(jobs[2].is_new);
}

TEST_CASE("a cached result without its object is asked for once more, past the cache") {
  RemoteRunFixture f;
  f.order.look_up = false;
  f.order.execute = true;
  remote::Answer empty;
  empty.cached = true;
  f.remote.backend->put_result(f.remote.action, empty);
  f.remote.backend->before_execute = [&](const remote::Job& job) {
    if (job.skip_cache) f.remote.backend->put_result(f.remote.action, f.remote.answer);
  };
  task::RemoteRun::Ending ending = f.run();
  REQUIRE(ending.answer);
  CHECK(ending.executed);
  CHECK(f.remote.backend->calls().jobs.size() == 2);
}

TEST_CASE("a result without what every result has is no answer, and stops nobody") {
  RemoteRunFixture f;
  f.order.look_up = false;
  f.order.execute = true;
  remote::Answer poor = f.remote.answer;
  SUBCASE("the object is missing") {
    std::erase_if(poor.outcome.files, [](const cache::OutputFile& file) { return file.path == "x.o"; });
  }
  SUBCASE("the object is empty") {
    for (cache::OutputFile& file : poor.outcome.files) file.digest = base::digest_of("");
  }
  f.remote.backend->put_result(f.remote.action, poor);
  std::shared_ptr<task::RemoteRun> run =
      task::RemoteRun::start(f.remote.side, f.remote.world.store(), base::real_clock(), f.order);
  REQUIRE(run->wait(seconds(60), {}));
  CHECK(!run->answered().stop_requested());
  task::RemoteRun::Ending ending = run->take();
  CHECK(!ending.answer);
  CHECK(ending.why.find("_output: x.o") != std::string::npos);
  CHECK(f.remote.backend->calls().jobs.size() == 1);
}

TEST_CASE("a cached result whose blobs are gone is made anew, past the cache") {
  RemoteRunFixture f;
  f.order.look_up = false;
  f.order.execute = true;
  remote::Answer old = f.remote.answer;
  old.cached = true;
  for (cache::OutputFile& file : old.outcome.files) file.digest = base::digest_of("gone");
  f.remote.backend->put_result(f.remote.action, old);
  f.remote.backend->before_execute = [&](const remote::Job& job) {
    if (job.skip_cache) f.remote.backend->put_result(f.remote.action, f.remote.answer);
  };
  task::RemoteRun::Ending ending = f.run();
  REQUIRE(ending.answer);
  CHECK(ending.why.empty());
  CHECK(f.remote.backend->calls().jobs.size() == 2);
}

TEST_CASE("one probe that is refused for want of resources lowers nothing") {
  RemoteRunFixture f;
  f.order.execute = true;
  f.order.outside.files.push_back({base::digest_of("header"), "/usr/include/header.h"});
  f.remote.backend->fail_executions(remote::Failure{remote::Cause::exhausted, "full"});
  int before = f.remote.tier().gate().limit();
  for (int task = 0; task < 5; ++task) CHECK(f.run().why == "full");
  CHECK(f.remote.backend->calls().jobs.size() == 1);
  CHECK(f.remote.tier().gate().limit() == before);
}

TEST_CASE("a compiler's error is a report and no answer") {
  RemoteRunFixture f;
  f.order.execute = true;
  remote::Answer bad;
  bad.outcome.exit_code = 1;
  bad.outcome.err = "x.cc:1: error";
  f.remote.backend->put_result(f.remote.action, bad);
  task::RemoteRun::Ending ending = f.run();
  CHECK(!ending.answer);
  REQUIRE(ending.report);
  CHECK(ending.report->outcome.err == "x.cc:1: error");
}

TEST_CASE("an answer requests the stop of others, and a cancelled run ends") {
  RemoteRunFixture f;
  f.order.look_up = false;
  f.order.execute = true;
  f.remote.backend->put_result(f.remote.action, f.remote.answer);
  f.remote.backend->hold_executions();
  std::shared_ptr<task::RemoteRun> run =
      task::RemoteRun::start(f.remote.side, f.remote.world.store(), base::real_clock(), f.order);
  REQUIRE(f.remote.backend->wait_for_executions(1));
  CHECK(!run->wait(std::chrono::milliseconds(0), {}));
  CHECK(!run->answered().stop_requested());
  f.remote.backend->let_executions_go();
  REQUIRE(run->wait(seconds(60), {}));
  CHECK(run->take().answer);

  f.remote.backend->hold_executions();
  run = task::RemoteRun::start(f.remote.side, f.remote.world.store(), base::real_clock(), f.order);
  REQUIRE(f.remote.backend->wait_for_executions(2));
  run->cancel();
  REQUIRE(run->wait(seconds(60), {}));
  CHECK(!run->take().answer);
  CHECK(!run->answered().stop_requested());
}

TEST_CASE("RESOURCE_EXHAUSTED lowers the limit on calls") {
  RemoteRunFixture f;
  f.order.execute = true;
  int before = f.remote.tier().gate().limit();
  f.remote.backend->fail_executions(remote::Failure{remote::Cause::exhausted, "full"});
  f.run();
  CHECK(f.remote.tier().gate().limit() <= before);
  CHECK(f.remote.tier().state().limit == f.remote.tier().gate().limit());
}
