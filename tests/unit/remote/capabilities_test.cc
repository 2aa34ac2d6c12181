#include "remote/capabilities.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "fake/fake_clock.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "fake/text.h"

namespace {

namespace re = build::bazel::remote::execution::v2;
using grpc::Status;
using grpc::StatusCode;
using remote::Cause;

const std::string kGetCapabilities = "GetCapabilities";

re::ServerCapabilities full() {
  re::ServerCapabilities out;
  out.mutable_cache_capabilities()->add_digest_functions(re::DigestFunction::SHA256);
  out.mutable_execution_capabilities()->set_exec_enabled(true);
  out.mutable_execution_capabilities()->add_digest_functions(re::DigestFunction::SHA256);
  out.mutable_low_api_version()->set_major(2);
  out.mutable_high_api_version()->set_major(2);
  out.mutable_high_api_version()->set_minor(3);
  return out;
}

remote::Capabilities read(const re::ServerCapabilities& answer) {
  auto capabilities = remote::capabilities_of(answer);
  REQUIRE(capabilities.ok());
  return *capabilities;
}

std::string refusal(const re::ServerCapabilities& answer) {
  auto capabilities = remote::capabilities_of(answer);
  REQUIRE_FALSE(capabilities.ok());
  CHECK(capabilities.error().cause == Cause::invalid);
  return capabilities.error().message;
}

struct CapabilitiesWorld {
  fake::ReapiServer server;
  fake::FakeClock clock;
  fake::RemoteCaller caller{server.url(), {}, clock};
  remote::CapabilityReader reader{caller.connection, "main", clock};

  remote::Remote<remote::Capabilities> get() { return reader.get(caller.call, {}); }
};

}  // namespace

TEST_CASE("each half may be absent") {
  CHECK(read(full()).cache);
  CHECK(read(full()).execution);
  re::ServerCapabilities cache = full();
  cache.clear_execution_capabilities();
  CHECK(read(cache).cache);
  CHECK_FALSE(read(cache).execution);
  re::ServerCapabilities scheduler = full();
  scheduler.clear_cache_capabilities();
  CHECK_FALSE(read(scheduler).cache);
  CHECK(read(scheduler).execution);
  scheduler.mutable_execution_capabilities()->set_exec_enabled(false);
  CHECK_FALSE(read(scheduler).execution);
}

TEST_CASE("a batch is never larger than the library's own limit, whatever is announced") {
  re::ServerCapabilities answer = full();
  const std::int64_t most = (4 << 20) - (64 << 10);
  CHECK(read(answer).batch_bytes == most);
  for (std::int64_t announced : {std::int64_t{(4 << 20) - 1024}, std::int64_t{64} << 20, std::int64_t{-1}}) {
    answer.mutable_cache_capabilities()->set_max_batch_total_size_bytes(announced);
    CHECK(read(answer).batch_bytes == most);
  }
  answer.mutable_cache_capabilities()->set_max_batch_total_size_bytes(100'000);
  CHECK(read(answer).batch_bytes == 100'000);
}

TEST_CASE("digest functions: SHA-256, or silence") {
  re::ServerCapabilities answer = full();
  answer.mutable_cache_capabilities()->clear_digest_functions();
  answer.mutable_execution_capabilities()->clear_digest_functions();
  CHECK(read(answer).execution);
  // A number from after our list is passed over.
  auto* functions = answer.mutable_cache_capabilities()->mutable_digest_functions();
  functions->Add(static_cast<re::DigestFunction::Value>(10));
  functions->Add(re::DigestFunction::SHA256);
  CHECK(read(answer).cache);
  answer.mutable_execution_capabilities()->set_digest_function(re::DigestFunction::BLAKE3);
  CHECK_FALSE(read(answer).execution);
  CHECK(fake::holds(read(answer).warning, "only its cache"));
  functions->RemoveLast();
  CHECK(fake::holds(refusal(answer), "SHA-256"));
  answer.clear_cache_capabilities();
  CHECK(fake::holds(refusal(answer), "SHA-256"));
}

TEST_CASE("versions: two, by its major number") {
  re::ServerCapabilities answer = full();
  answer.mutable_low_api_version()->set_minor(3);
  answer.mutable_high_api_version()->set_minor(12);
  CHECK(read(answer).warning.empty());
  CHECK(read(answer).has_output_paths);
  answer.mutable_low_api_version()->set_minor(0);
  answer.mutable_high_api_version()->set_minor(0);
  CHECK_FALSE(read(answer).has_output_paths);
  answer.mutable_low_api_version()->set_major(3);
  answer.mutable_high_api_version()->set_major(3);
  CHECK(fake::holds(refusal(answer), "3.0"));
  answer.mutable_deprecated_api_version()->set_major(2);
  CHECK(fake::holds(read(answer).warning, "give up version 2"));
  re::ServerCapabilities old = full();
  old.mutable_high_api_version()->set_major(1);
  CHECK(fake::holds(refusal(old), "update the server"));
  re::ServerCapabilities silent = full();
  silent.clear_low_api_version();
  silent.clear_high_api_version();
  CHECK(read(silent).has_output_paths);
}

TEST_CASE("compressors of streams and batches differ") {
  re::ServerCapabilities answer = full();
  CHECK_FALSE(read(answer).zstd_streams);
  answer.mutable_cache_capabilities()->add_supported_compressors(re::Compressor::ZSTD);
  CHECK(read(answer).zstd_streams);
  CHECK_FALSE(read(answer).zstd_batches);
  answer.mutable_cache_capabilities()->add_supported_batch_update_compressors(re::Compressor::ZSTD);
  CHECK(read(answer).zstd_batches);
}

TEST_CASE("the rest of the cache half") {
  re::ServerCapabilities answer = full();
  CHECK_FALSE(read(answer).absolute_links);
  CHECK_FALSE(read(answer).update_enabled);
  CHECK(read(answer).largest_blob == 0);
  re::CacheCapabilities& cache = *answer.mutable_cache_capabilities();
  cache.set_symlink_absolute_path_strategy(re::SymlinkAbsolutePathStrategy::ALLOWED);
  cache.mutable_action_cache_update_capabilities()->set_update_enabled(true);
  cache.set_max_cas_blob_size_bytes(16 << 20);
  CHECK(read(answer).absolute_links);
  CHECK(read(answer).update_enabled);
  CHECK(read(answer).largest_blob == 16 << 20);
}

TEST_CASE("a priority is 0, or as near to it as the server takes") {
  re::ServerCapabilities answer = full();
  CHECK(read(answer).priority == 0);
  auto& priorities = *answer.mutable_execution_capabilities()->mutable_execution_priority_capabilities();
  auto add = [&](int low, int high) {
    auto& range = *priorities.add_priorities();
    range.set_min_priority(low);
    range.set_max_priority(high);
  };
  add(100, 200);
  CHECK(read(answer).priority == 100);
  add(-50, -20);
  CHECK(read(answer).priority == -20);
  add(9, 1);
  CHECK(read(answer).priority == -20);
  add(-5, 5);
  CHECK(read(answer).priority == 0);
}

TEST_CASE("read once, for the instance") {
  CapabilitiesWorld world;
  REQUIRE(world.get().ok());
  REQUIRE(world.get().ok());
  auto requests = world.server.requests<re::GetCapabilitiesRequest>(kGetCapabilities);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].instance_name() == "main");
}

TEST_CASE("read again when old, when forgotten, when a connection was lost, with other credentials") {
  CapabilitiesWorld world;
  REQUIRE(world.get().ok());
  world.clock.advance(std::chrono::minutes(11));
  REQUIRE(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 2);
  world.reader.forget();
  REQUIRE(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 3);

  world.server.fail("FindMissingBlobs", Status(StatusCode::UNAVAILABLE, "lost"));
  CHECK(world.caller.ask().ok());
  REQUIRE(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 3);
  world.clock.advance(std::chrono::seconds(11));
  REQUIRE(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 4);

  world.caller.credentials.set({{"authorization", "Bearer other"}});
  REQUIRE(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 5);
  REQUIRE(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 5);
}

TEST_CASE("many tasks at once make one call") {
  fake::Latch go;
  CapabilitiesWorld world;
  world.server.on(kGetCapabilities, [&](const fake::Seen& seen) {
    go.wait(seen.cancelled);
    return std::nullopt;
  });
  std::atomic<int> good{0};
  std::vector<std::thread> tasks;
  for (int at = 0; at < 20; ++at) {
    tasks.emplace_back([&] { good += world.get().ok() ? 1 : 0; });
  }
  CHECK(world.server.wait_for(kGetCapabilities, 1));
  go.open();
  for (std::thread& task : tasks) task.join();
  CHECK(good == 20);
  CHECK(world.server.count(kGetCapabilities) == 1);
}

TEST_CASE("a failure is kept for a moment, so that tasks do not wait one after the other") {
  CapabilitiesWorld world;
  world.server.fail(kGetCapabilities, Status(StatusCode::UNAUTHENTICATED, "who are you"), 2);
  for (int at = 0; at < 5; ++at) {
    auto refused = world.get();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().cause == Cause::unauthenticated);
  }
  CHECK(world.server.count(kGetCapabilities) == 1);
  // Other credentials are tried at once.
  world.caller.credentials.set({{"authorization", "Bearer other"}});
  CHECK_FALSE(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 2);
  world.clock.advance(std::chrono::seconds(3));
  CHECK(world.get().ok());
}

TEST_CASE("a server that cannot be asked again is taken to be as it was") {
  CapabilitiesWorld world;
  REQUIRE(world.get().ok());
  world.clock.advance(std::chrono::minutes(11));
  world.server.fail(kGetCapabilities, Status(StatusCode::UNAVAILABLE, "restarting"), 2);
  CHECK(world.get().ok());
  CHECK(world.server.count(kGetCapabilities) == 3);
}

TEST_CASE("a stop of the task that reads costs the others nothing") {
  fake::Latch never;
  CapabilitiesWorld world;
  world.server.on(kGetCapabilities, [&](const fake::Seen& seen) {
    if (seen.number == 1) never.wait(seen.cancelled);
    return std::nullopt;
  });
  std::stop_source stop;
  std::thread reader([&] {
    auto stopped = world.reader.get(world.caller.call, stop.get_token());
    CHECK_FALSE(stopped.ok());
  });
  REQUIRE(world.server.wait_for(kGetCapabilities, 1));
  std::atomic<bool> good{false};
  std::thread other([&] { good = world.get().ok(); });
  stop.request_stop();
  reader.join();
  other.join();
  CHECK(good);
}

TEST_CASE("a silent server is waited for within bounds") {
  fake::Latch never;
  CapabilitiesWorld world;
  world.server.on(kGetCapabilities, [&](const fake::Seen& seen) {
    never.wait(seen.cancelled);
    return std::nullopt;
  });
  base::Nanoseconds before = base::real_clock().uptime();
  auto failed = world.get();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::timed_out);
  CHECK(base::real_clock().uptime() - before < std::chrono::seconds(10));
}

TEST_CASE("instance names leave reserved segments out") {
  for (const char* good : {"", "main", "projects/p/instances/default", "blobs2"}) {
    CHECK_MESSAGE(remote::check_instance(good).ok(), good);
  }
  for (const char* bad :
       {"blobs", "a/uploads/b", "operations", "compressed-blobs/x", "/main", "main/", "a//b"}) {
    auto checked = remote::check_instance(bad);
    REQUIRE_MESSAGE(!checked.ok(), bad);
    CHECK(fake::holds(checked.error().message, bad));
  }
}
