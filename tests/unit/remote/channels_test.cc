#include "remote/channels.h"

#include <absl/synchronization/mutex.h>
#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "fake/certificates.h"
#include "fake/fake_clock.h"
#include "fake/temp_dir.h"

namespace {

using remote::Lane;

remote::Endpoint endpoint_of(const char* text) {
  auto endpoint = remote::parse_endpoint(text);
  REQUIRE(endpoint.ok());
  return *endpoint;
}

struct ChannelsWorld {
  fake::FakeClock clock;
  fake::TempDir dir;
  remote::TlsFiles tls;
};

}  // namespace

TEST_CASE("calls share a connection until it is full, and then share two") {
  ChannelsWorld world;
  remote::Channels channels(endpoint_of("grpc://127.0.0.1:1"), {}, world.clock, base::real_files());
  std::set<grpc::Channel*> seen;
  std::vector<remote::Lease> leases;
  for (int at = 0; at < 65; ++at) {
    auto lease = channels.lease(Lane::small);
    REQUIRE(lease.ok());
    seen.insert(lease->channel().get());
    leases.push_back(std::move(*lease));
    CHECK(seen.size() == (at < 64 ? 1u : 2u));
  }
  leases.clear();
  for (int at = 0; at < 100; ++at) {
    auto lease = channels.lease(Lane::small);
    REQUIRE(lease.ok());
    seen.insert(lease->channel().get());
  }
  CHECK(seen.size() == 2);
}

TEST_CASE("there is an end to connections") {
  ChannelsWorld world;
  remote::Channels channels(endpoint_of("grpc://127.0.0.1:1"), {}, world.clock, base::real_files());
  std::set<grpc::Channel*> seen;
  std::vector<remote::Lease> leases;
  for (int at = 0; at < 1000; ++at) {
    auto lease = channels.lease(Lane::bulk);
    REQUIRE(lease.ok());
    seen.insert(lease->channel().get());
    leases.push_back(std::move(*lease));
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("bulk has connections of its own") {
  ChannelsWorld world;
  remote::Channels channels(endpoint_of("grpc://127.0.0.1:1"), {}, world.clock, base::real_files());
  auto small = channels.lease(Lane::small);
  auto bulk = channels.lease(Lane::bulk);
  REQUIRE(small.ok());
  REQUIRE(bulk.ok());
  CHECK(small->channel() != bulk->channel());
}

TEST_CASE("replaced TLS files make new channels, half-written ones do not") {
  ChannelsWorld world;
  fake::Identity authority("authority");
  world.tls.ca = world.dir.write("ca.pem", authority.certificate());
  remote::Channels channels(endpoint_of("grpcs://127.0.0.1:1"), world.tls, world.clock, base::real_files());
  auto channel = [&] {
    world.clock.advance(std::chrono::seconds(2));
    auto lease = channels.lease(Lane::small);
    REQUIRE(lease.ok());
    return lease->channel();
  };
  auto first = channel();
  CHECK(channel() == first);
  world.dir.write("ca.pem", "half");
  CHECK(channel() == first);
  world.dir.write("ca.pem", fake::Identity("another").certificate());
  CHECK(channel() != first);
}

TEST_CASE("bad TLS files are an error from the start, and mended ones mend it") {
  ChannelsWorld world;
  world.tls.ca = world.dir.write("ca.pem", "half");
  remote::Channels channels(endpoint_of("grpcs://127.0.0.1:1"), world.tls, world.clock, base::real_files());
  auto lease = channels.lease(Lane::small);
  REQUIRE_FALSE(lease.ok());
  CHECK(lease.error().message.find("ca.pem") != std::string::npos);
  world.dir.write("ca.pem", fake::Identity("authority").certificate());
  CHECK(channels.lease(Lane::small).ok());
}

TEST_CASE_FIXTURE(ChannelsWorld, "locks that are taken in another order do not end the program") {
  remote::Channels channels(endpoint_of("grpc://127.0.0.1:1"), tls, clock, base::real_files());
  absl::Mutex a;
  absl::Mutex b;
  for (int i = 0; i < 2; ++i) {
    absl::MutexLock first(i == 0 ? &a : &b);
    absl::MutexLock second(i == 0 ? &b : &a);
  }
  // Debian's library would have aborted.
  CHECK(channels.lease(Lane::small).ok());
}
