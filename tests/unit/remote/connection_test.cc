#include "remote/connection.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "fake/fake_clock.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "fake/text.h"
#include "wire/rpc_status.pb.h"

namespace {

using grpc::Status;
using grpc::StatusCode;
using remote::Cause;

const std::string kFindMissing = "FindMissingBlobs";

remote::CallOptions within(std::chrono::milliseconds deadline, int attempts) {
  remote::CallOptions options{kFindMissing};
  options.deadline = deadline;
  options.attempts = attempts;
  return options;
}

}  // namespace

TEST_CASE("every call says what it is for") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  caller.credentials.set({{"authorization", "Bearer sesame"}, {"x-team", "blue"}});
  REQUIRE(caller.ask().ok());
  fake::Seen call = server.seen(kFindMissing).at(0);
  auto metadata = call.request_metadata();
  CHECK(metadata.tool_details().tool_name() == "goma");
  CHECK_FALSE(metadata.tool_details().tool_version().empty());
  CHECK(metadata.tool_invocation_id() == "build-1");
  CHECK(metadata.action_id() == "abc123");
  CHECK(metadata.target_id() == "out/a.o");
  CHECK(metadata.action_mnemonic() == "CppCompile");
  CHECK(call.header("authorization") == "Bearer sesame");
  CHECK(call.header("x-team") == "blue");
  CHECK(call.header("user-agent").starts_with("goma/"));
  CHECK(caller.connection.health().state().latency_us > 0);
}

TEST_CASE("what passes is tried again, what does not is not") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  server.fail(kFindMissing, Status(StatusCode::UNAVAILABLE, "restarting"), 2);
  CHECK(caller.ask().ok());
  CHECK(server.count(kFindMissing) == 3);

  server.fail(kFindMissing, Status(StatusCode::INVALID_ARGUMENT, "what?"));
  auto refused = caller.ask();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().cause == Cause::invalid);
  CHECK(fake::holds(refused.error().message, kFindMissing + " at " + server.url()));
  CHECK(fake::holds(refused.error().message, "what?"));
  CHECK(server.count(kFindMissing) == 4);
}

TEST_CASE("attempts have an end") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  server.fail(kFindMissing, Status(StatusCode::UNAVAILABLE, "down"), 9);
  auto failed = caller.ask(within(std::chrono::seconds(20), 3));
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::unavailable);
  CHECK(server.count(kFindMissing) == 3);
}

TEST_CASE("the retry budget ends retries for all callers together") {
  fake::ReapiServer server;
  fake::FakeClock clock;  // stands still, so that nothing is earned by time
  fake::RemoteCaller caller(server.url(), {}, clock);
  int calls = 0;
  server.on(kFindMissing, [](const fake::Seen& seen) {
    bool bad = seen.number % 2 == 1;
    return bad ? std::optional(Status(StatusCode::RESOURCE_EXHAUSTED, "busy")) : std::nullopt;
  });
  while (caller.ask(within(std::chrono::seconds(20), 2)).ok() && calls < 100) ++calls;
  CHECK(calls >= 20);
  CHECK(calls <= 23);
}

TEST_CASE("the server's wish for a pause is honoured, but not a long one") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_nanos(400'000'000);
  google::rpc::Status details;
  details.add_details()->PackFrom(retry);
  server.fail(kFindMissing, Status(StatusCode::RESOURCE_EXHAUSTED, "busy", details.SerializeAsString()));
  base::Nanoseconds before = base::real_clock().uptime();
  CHECK(caller.ask().ok());
  CHECK(base::real_clock().uptime() - before >= std::chrono::milliseconds(400));

  retry.mutable_retry_delay()->set_seconds(600);
  details.mutable_details(0)->PackFrom(retry);
  server.fail(kFindMissing, Status(StatusCode::RESOURCE_EXHAUSTED, "busy", details.SerializeAsString()));
  auto failed = caller.ask();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::exhausted);
  CHECK(failed.error().retry_after == std::chrono::milliseconds(600'400));
}

TEST_CASE("refused credentials are renewed once") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  caller.credentials.set({{"authorization", "Bearer old"}});
  caller.credentials.set_next({{"authorization", "Bearer new"}});
  server.on(kFindMissing, [](const fake::Seen& seen) {
    bool good = seen.header("authorization") == "Bearer new";
    return good ? std::nullopt : std::optional(Status(StatusCode::UNAUTHENTICATED, "expired"));
  });
  CHECK(caller.ask().ok());
  CHECK(server.count(kFindMissing) == 2);
  CHECK(caller.credentials.refusals() == 1);
}

TEST_CASE("credentials that stay refused make no loop") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  caller.credentials.set({{"authorization", "Bearer old"}});
  caller.credentials.set_next({{"authorization", "Bearer older"}});
  server.fail(kFindMissing, Status(StatusCode::UNAUTHENTICATED, "expired"), 99);
  auto refused = caller.ask();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().cause == Cause::unauthenticated);
  CHECK_FALSE(fake::holds(refused.error().message, "older"));
  CHECK(server.count(kFindMissing) == 2);
  CHECK_FALSE(caller.ask().ok());
  CHECK(server.count(kFindMissing) == 3);
}

TEST_CASE("a token that is no header is not sent") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  caller.credentials.set({{"authorization", "Bearer two\nlines"}});
  auto refused = caller.ask();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().cause == Cause::unauthenticated);
  CHECK_FALSE(fake::holds(refused.error().message, "two"));
  CHECK(server.count(kFindMissing) == 0);
}

TEST_CASE("a stop ends a call in its middle") {
  fake::Latch never;
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  server.on(kFindMissing, [&](const fake::Seen& seen) {
    never.wait(seen.cancelled);
    return std::nullopt;
  });
  std::stop_source stop;
  std::thread stopper([&] {
    server.wait_for(kFindMissing, 1);
    stop.request_stop();
  });
  auto stopped = caller.ask({kFindMissing}, stop.get_token());
  stopper.join();
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().cause == Cause::cancelled);
  CHECK(caller.connection.health().allows());
  CHECK_FALSE(caller.ask({kFindMissing}, stop.get_token()).ok());
  CHECK(server.count(kFindMissing) == 1);
}

TEST_CASE("a stop ends the pause between attempts") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  std::stop_source stop;
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(9);
  google::rpc::Status details;
  details.add_details()->PackFrom(retry);
  server.on(kFindMissing, [&](const fake::Seen&) {
    stop.request_stop();
    return Status(StatusCode::UNAVAILABLE, "later", details.SerializeAsString());
  });
  base::Nanoseconds before = base::real_clock().uptime();
  auto stopped = caller.ask({kFindMissing}, stop.get_token());
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().cause == Cause::cancelled);
  CHECK(base::real_clock().uptime() - before < std::chrono::seconds(8));
}

TEST_CASE("a call that times out gets one more try, with more time") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  REQUIRE(caller.ask().ok());
  std::vector<std::chrono::system_clock::duration> given;
  auto failed =
      caller.connection.run(within(std::chrono::seconds(50), 4), caller.call, {},
                            [&](grpc::ClientContext& context, const remote::Connection::Channel&) {
                              given.push_back(context.deadline() - std::chrono::system_clock::now());
                              return Status(StatusCode::DEADLINE_EXCEEDED, "late");
                            });
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::timed_out);
  REQUIRE(given.size() == 2);
  CHECK(given[0] <= std::chrono::seconds(51));
  CHECK(given[1] > std::chrono::seconds(60));
}

TEST_CASE("a slice of a stream that ends by its deadline says nothing of the endpoint") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  REQUIRE(caller.ask().ok());
  remote::CallOptions options = within(std::chrono::seconds(50), 4);
  options.streaming = true;
  int attempts = 0;
  for (int at = 0; at < 12; ++at) {
    auto failed = caller.connection.run(options, caller.call, {},
                                        [&](grpc::ClientContext&, const remote::Connection::Channel&) {
                                          ++attempts;
                                          return Status(StatusCode::DEADLINE_EXCEEDED, "still running");
                                        });
    CHECK_FALSE(failed.ok());
  }
  CHECK(attempts == 12);
  CHECK(caller.connection.health().state().breaker == remote::Breaker::closed);
}

TEST_CASE("nobody waits for a dead engine, and a restarted one is found again") {
  fake::ReapiServer server;
  fake::FakeClock clock;
  fake::RemoteCaller caller(server.url(), {}, clock);
  REQUIRE(caller.ask().ok());
  server.stop();
  auto failed = caller.ask();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::unavailable);
  CHECK(fake::holds(failed.error().message, "start the engine"));
  auto next = caller.ask();
  REQUIRE_FALSE(next.ok());
  CHECK(fake::holds(next.error().message, "not asked"));
  CHECK(fake::holds(next.error().message, "nothing listens there"));

  server.start();
  // The channel itself is back within a second or two; each probe is let through by the turn of the clock.
  bool back = false;
  base::Nanoseconds limit = base::real_clock().uptime() + std::chrono::seconds(20);
  while (!back && base::real_clock().uptime() < limit) {
    clock.advance(std::chrono::seconds(30));
    back = caller.ask().ok();
  }
  CHECK(back);
  CHECK(caller.connection.health().state().breaker == remote::Breaker::closed);
}

TEST_CASE("an engine that restarts under many calls is one loss, not many") {
  fake::Latch never;
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  server.on(kFindMissing, [&](const fake::Seen& seen) {
    if (seen.number <= 40) never.wait(seen.cancelled);
    return std::nullopt;
  });
  std::atomic<int> lost{0};
  std::vector<std::thread> tasks;
  for (int at = 0; at < 40; ++at) {
    tasks.emplace_back([&] {
      auto result = caller.ask(within(std::chrono::seconds(20), 1));
      if (!result.ok() && result.error().cause == Cause::unavailable) ++lost;
    });
  }
  REQUIRE(server.wait_for(kFindMissing, 40));
  server.stop();
  server.start();
  for (std::thread& task : tasks) task.join();
  CHECK(lost == 40);
  CHECK(caller.connection.health().state().breaker == remote::Breaker::closed);
  CHECK(caller.ask(within(std::chrono::seconds(20), 4)).ok());
}

TEST_CASE("credentials do not leave in clear") {
  // Nothing is sent: the name does not resolve. That the endpoint is not local is what counts.
  fake::RemoteCaller caller("grpc://host.invalid:1");
  caller.credentials.set({{"authorization", "Bearer sesame"}});
  remote::CallOptions options = within(std::chrono::seconds(5), 1);
  bool asked = false;
  auto result = caller.connection.run(options, caller.call, {},
                                      [&](grpc::ClientContext&, const remote::Connection::Channel&) {
                                        asked = true;
                                        return Status(StatusCode::UNAUTHENTICATED, "who are you");
                                      });
  REQUIRE_FALSE(result.ok());
  CHECK(asked);
  CHECK(fake::holds(result.error().message, "use grpcs://"));
  CHECK(caller.credentials.refusals() == 0);
}
