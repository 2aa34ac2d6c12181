#include "remote/job_runner.h"

#include <doctest/doctest.h>

#include <atomic>

#include "fake/remote_caller.h"
#include "unit/remote/engine.h"
#include "wire/rpc_status.pb.h"

using engine::StatusCode;
using remote::Cause;
using remote::Stage;

namespace {

// An engine, and a job that was brought to it once: the client believes that everything is there.
struct JobRunnerWorld {
  JobRunnerWorld() {
    server.traits()->merges = false;
    server.runner([this](fake::Run&) { return engine::compiled(server); });
  }

  remote::Remote<remote::Answer> run(const std::stop_token& stop = {}) {
    return runner.run(
        {}, job, [this](Stage stage) { stages.push_back(stage); }, stop);
  }
  int executions() { return server.count("Execute"); }

  fake::ReapiServer server;
  fake::RemoteCaller caller{server.url()};
  remote::CapabilityReader capabilities{caller.connection, "", base::real_clock()};
  remote::Cas cas{caller.connection, capabilities, {}, base::real_clock()};
  remote::Execution execution{caller.connection, "", base::real_clock()};
  remote::JobRunner runner{cas, execution, base::real_clock()};
  remote::Job job = engine::job();
  std::vector<Stage> stages;
};

}  // namespace

TEST_CASE("a job is brought to the engine and executed") {
  JobRunnerWorld world;
  auto answer = world.run();
  REQUIRE(answer);
  CHECK(engine::has_all(world.server));
  CHECK(answer->outcome.exit_code == 0);
  REQUIRE(answer->outcome.files.size() == 1);
  CHECK(answer->outcome.files[0].path == "x.o");
  CHECK(answer->contents.at(base::digest_of(engine::kObject)) == engine::kObject);
  CHECK(answer->worker == "worker 1");
  CHECK_FALSE(answer->cached);
  REQUIRE_FALSE(world.stages.empty());
  CHECK(world.stages.front() == Stage::sending);

  // The second time nothing is sent.
  REQUIRE(world.run());
  for (const remote::Source& source : world.job.sources) CHECK(world.server.uploads(source.digest) == 1);
}

TEST_CASE("the messages of a new action are not asked about") {
  JobRunnerWorld world;
  REQUIRE(world.run());
  int questions = world.server.count("FindMissingBlobs");
  const std::string action = "another action";
  world.job.sources.push_back({base::digest_of(action), action, ""});
  world.job.is_new = true;
  REQUIRE(world.run());
  CHECK(world.server.count("FindMissingBlobs") == questions);
  CHECK(world.server.has(base::digest_of(action)));
}

TEST_CASE("a blob that vanished is sent again, however the engine says so") {
  using Saying = std::function<engine::reapi::ExecuteResponse(const base::Digest&)>;
  const std::vector<Saying> sayings = {
      [](const base::Digest& digest) { return engine::missing(digest); },
      [](const base::Digest&) {
        return engine::failed(StatusCode::INTERNAL, "Error staging: Tree is not completely available");
      },
      [](const base::Digest&) { return engine::failed(StatusCode::NOT_FOUND, "Action not found"); },
      [](const base::Digest&) { return engine::failed(StatusCode::FAILED_PRECONDITION, "no such blob"); },
      [](const base::Digest&) { return engine::failed(StatusCode::FAILED_PRECONDITION, "worker: no input"); },
  };
  for (const Saying& saying : sayings) {
    JobRunnerWorld world;
    REQUIRE(world.run());
    base::Digest input = world.job.sources[0].digest;
    base::Digest header = world.job.sources[1].digest;
    world.server.erase(input);
    world.server.erase(header);
    // Only one is named, though two are gone.
    world.server.runner([&](fake::Run&) {
      return engine::has_all(world.server) ? engine::compiled(world.server) : saying(input);
    });
    auto answer = world.run();
    REQUIRE(answer);
    CHECK(world.executions() == 3);
    CHECK(world.server.uploads(input) == 2);
    CHECK(world.server.uploads(header) == 2);
    CHECK(world.server.uploads(world.job.sources[2].digest) == 1);
  }
}

TEST_CASE("a missing Action is sent again when the call itself is refused") {
  for (const grpc::Status& status :
       {fake::missing_status({"blobs/" + base::digest_of("action").hex() + "/6"}),
        grpc::Status(StatusCode::FAILED_PRECONDITION, "Could not get action from storage."),
        grpc::Status(StatusCode::NOT_FOUND, "no action")}) {
    JobRunnerWorld world;
    REQUIRE(world.run());
    world.server.erase(world.job.action);
    world.server.fail("Execute", status);
    REQUIRE(world.run());
    CHECK(world.executions() == 3);
    CHECK(world.server.uploads(world.job.action) == 2);
  }
}

TEST_CASE("storage that forgets again and again ends in a failure") {
  JobRunnerWorld world;
  world.server.runner([&](fake::Run&) {
    world.server.erase(world.job.sources[0].digest);
    return engine::missing(world.job.sources[0].digest);
  });
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::missing_blobs);
  CHECK(world.executions() == 4);
  CHECK(world.server.uploads(world.job.sources[0].digest) == 4);
}

TEST_CASE("an engine that fails although it has everything is not asked again") {
  JobRunnerWorld world;
  world.server.runner([](fake::Run&) { return engine::failed(StatusCode::INTERNAL, "disk full"); });
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::engine);
  CHECK(world.executions() == 1);
  CHECK(answer.error().message.find("disk full") != std::string::npos);
}

TEST_CASE("an engine that misses what its storage has is believed once") {
  JobRunnerWorld world;
  world.server.runner([&](fake::Run&) { return engine::missing(world.job.sources[0].digest); });
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::engine);
  CHECK(world.executions() == 2);
}

TEST_CASE("a blob that another job sent in the meantime is worth a repetition") {
  JobRunnerWorld world;
  REQUIRE(world.run());
  world.server.erase(world.job.sources[0].digest);
  std::atomic<int> runs{0};
  std::atomic<bool> other_ran{false};
  world.server.runner([&](fake::Run&) {
    int number = ++runs;
    // The other job finds the hole and mends it while the first one is still being told of it.
    if (number == 1) other_ran = world.runner.run({}, world.job, {}, {}).ok();
    if (number <= 2 || !engine::has_all(world.server))
      return engine::failed(StatusCode::INTERNAL, "Error staging");
    return engine::compiled(world.server);
  });
  CHECK(world.run());
  CHECK(other_ran);
  CHECK(world.server.uploads(world.job.sources[0].digest) == 2);
}

TEST_CASE("a missing worker is told from a missing blob") {
  JobRunnerWorld world;
  world.server.fail("Execute", {StatusCode::FAILED_PRECONDITION,
                                "No workers exist for instance name prefix \"\" platform {}"});
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::unplaceable);
  CHECK(answer.error().message.find("No workers exist") != std::string::npos);
  CHECK(world.executions() == 1);
}

TEST_CASE("the status of a response comes before its exit code") {
  for (auto [code, cause] : {std::pair(StatusCode::INVALID_ARGUMENT, Cause::invalid),
                             std::pair(StatusCode::DEADLINE_EXCEEDED, Cause::action_timeout)}) {
    JobRunnerWorld world;
    world.server.runner([&, code = code](fake::Run&) {
      engine::reapi::ExecuteResponse response = engine::compiled(world.server);
      engine::set_status(response, code, "no");
      response.set_message("Action details (uncached result): https://engine/action");
      return response;
    });
    auto answer = world.run();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().cause == cause);
    CHECK(answer.error().message.find("https://engine/action") != std::string::npos);
    CHECK(world.executions() == 1);
  }
}

TEST_CASE("a program that the worker lacks is no missing blob") {
  JobRunnerWorld world;
  REQUIRE(world.run());
  int questions = world.server.count("FindMissingBlobs");
  world.server.runner([](fake::Run&) {
    engine::reapi::ExecuteResponse response = engine::failed(StatusCode::NOT_FOUND, "g++: not found");
    response.mutable_result()->set_exit_code(127);
    return response;
  });
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::engine);
  CHECK(answer.error().message.find("not on the worker") != std::string::npos);
  CHECK(world.server.count("FindMissingBlobs") == questions);
}

TEST_CASE("a worker that disappears is replaced") {
  JobRunnerWorld world;
  std::atomic<int> runs{0};
  world.server.runner([&](fake::Run&) {
    if (++runs == 1) return engine::failed(StatusCode::UNAVAILABLE, "Worker disappeared while executing");
    return engine::compiled(world.server);
  });
  REQUIRE(world.run());
  CHECK(world.executions() == 2);
}

TEST_CASE("a failed compile is an outcome, and never one from a cache") {
  for (int exit_code : {1, 137, -1}) {
    JobRunnerWorld world;
    world.server.runner([&](fake::Run&) {
      engine::reapi::ExecuteResponse response;
      response.mutable_result()->set_exit_code(exit_code);
      response.mutable_result()->set_stderr_raw("x.cc:1: error");
      response.set_cached_result(true);
      response.set_message("see https://engine/1");
      return response;
    });
    auto answer = world.run();
    REQUIRE(answer);
    CHECK(answer->outcome.exit_code == exit_code);
    CHECK(answer->outcome.err == "x.cc:1: error");
    CHECK(answer->message == "see https://engine/1");
    CHECK_FALSE(answer->cached);
    // What the engine says again past its cache is what it means.
    CHECK(world.executions() == 2);
  }
}

TEST_CASE("a failure that the engine kept is not the outcome when the action can be compiled") {
  JobRunnerWorld world;
  std::atomic<int> runs{0};
  world.server.runner([&](fake::Run&) {
    if (++runs > 1) return engine::compiled(world.server);
    engine::reapi::ExecuteResponse response;
    response.mutable_result()->set_exit_code(137);
    response.set_cached_result(true);
    return response;
  });
  auto answer = world.run();
  REQUIRE(answer);
  CHECK(answer->outcome.exit_code == 0);
  CHECK(world.executions() == 2);
}

TEST_CASE("a good result may come from the engine's cache") {
  JobRunnerWorld world;
  world.server.runner([&](fake::Run&) {
    engine::reapi::ExecuteResponse response = engine::compiled(world.server);
    response.set_cached_result(true);
    return response;
  });
  auto answer = world.run();
  REQUIRE(answer);
  CHECK(answer->cached);
}

TEST_CASE("messages are fetched by digest") {
  JobRunnerWorld world;
  world.server.traits()->inline_hints = false;
  world.server.put("x.cc:1: warning");
  world.server.runner([&](fake::Run&) {
    engine::reapi::ExecuteResponse response = engine::compiled(world.server);
    cache::set_digest(base::digest_of("x.cc:1: warning"),
                      *response.mutable_result()->mutable_stderr_digest());
    cache::set_digest(base::digest_of(""), *response.mutable_result()->mutable_stdout_digest());
    return response;
  });
  auto answer = world.run();
  REQUIRE(answer);
  CHECK(answer->outcome.err == "x.cc:1: warning");
  CHECK(answer->outcome.out.empty());
  CHECK(answer->contents.empty());
}

TEST_CASE("a result whose messages are gone is made anew, past the cache") {
  JobRunnerWorld world;
  world.server.runner([&](fake::Run& run) {
    engine::reapi::ExecuteResponse response = engine::compiled(world.server);
    if (!run.request().skip_cache_lookup()) {
      cache::set_digest(base::digest_of("gone"), *response.mutable_result()->mutable_stderr_digest());
    }
    return response;
  });
  REQUIRE(world.run());
  auto requests = world.server.requests<engine::reapi::ExecuteRequest>("Execute");
  REQUIRE(requests.size() == 2);
  CHECK_FALSE(requests[0].skip_cache_lookup());
  CHECK(requests[1].skip_cache_lookup());
}

TEST_CASE("an answer that makes no sense is not used") {
  JobRunnerWorld world;
  world.server.runner([](fake::Run&) { return engine::reapi::ExecuteResponse(); });
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::corrupt);

  world.server.runner([&](fake::Run&) {
    engine::reapi::ExecuteResponse response = engine::compiled(world.server);
    response.mutable_result()->add_output_symlinks()->set_path("x.d");
    return response;
  });
  answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::corrupt);
}

TEST_CASE("a cached answer that makes no sense is made anew, past the cache") {
  JobRunnerWorld world;
  world.server.runner([&](fake::Run& run) {
    engine::reapi::ExecuteResponse response = engine::compiled(world.server);
    if (!run.request().skip_cache_lookup()) {
      response.set_cached_result(true);
      response.mutable_result()->add_output_symlinks()->set_path("x.d");
    }
    return response;
  });
  CHECK(world.run());
  CHECK(world.executions() == 2);
}

TEST_CASE("an engine that wants to be left alone for long is") {
  JobRunnerWorld world;
  world.server.runner([](fake::Run&) {
    engine::reapi::ExecuteResponse response = engine::failed(StatusCode::RESOURCE_EXHAUSTED, "full");
    google::rpc::RetryInfo info;
    info.mutable_retry_delay()->set_seconds(60);
    response.mutable_status()->add_details()->PackFrom(info);
    return response;
  });
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::exhausted);
  CHECK(world.executions() == 1);
}

TEST_CASE("a declared output may be absent; who asked decides") {
  JobRunnerWorld world;
  auto answer = world.run();
  REQUIRE(answer);
  CHECK(answer->outcome.exit_code == 0);
  CHECK(answer->outcome.files.size() < world.job.output_paths.size());
}

TEST_CASE("a job that was stopped is not mended") {
  JobRunnerWorld world;
  std::stop_source stop;
  world.server.runner([&](fake::Run&) {
    stop.request_stop();
    return engine::failed(StatusCode::INTERNAL, "disk full");
  });
  auto answer = world.run(stop.get_token());
  REQUIRE_FALSE(answer);
  CHECK(world.executions() == 1);
}

TEST_CASE("an input that cannot be read ends the job before it is executed") {
  JobRunnerWorld world;
  world.job.sources.push_back({base::digest_of("elsewhere"), "", "/nonexistent/x.h"});
  auto answer = world.run();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().cause == Cause::local);
  CHECK(world.executions() == 0);
}
