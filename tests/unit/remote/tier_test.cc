#include "remote/tier.h"

#include <doctest/doctest.h>

#include "fake/fake_backend.h"

namespace {

class FakeCredentials : public remote::Credentials {
 public:
  base::Result<Current> current(const std::stop_token&) override { return Current{}; }
  bool refused(std::uint64_t, const std::stop_token&) override { return false; }
  std::uint64_t version() override { return 1; }
  remote::CredentialState state() override { return now; }

  remote::CredentialState now{true, true, "file /token", 0, ""};
};

// A tier with an engine and, if wanted, an HTTP cache.
struct TierWorld {
  explicit TierWorld(remote::TierOptions options = {}, bool with_http = false) {
    auto owned = std::make_unique<fake::FakeBackend>();
    engine = owned.get();
    std::unique_ptr<fake::FakeBackend> other;
    if (with_http) other = std::make_unique<fake::FakeBackend>();
    http = other.get();
    if (http != nullptr) http->set_rights({true, false, true});
    tier = std::make_unique<remote::Tier>(options, std::move(owned), std::move(other), &credentials);
  }

  FakeCredentials credentials;
  fake::FakeBackend* engine = nullptr;
  fake::FakeBackend* http = nullptr;
  std::unique_ptr<remote::Tier> tier;
};

remote::TierOptions wanting(std::optional<remote::Mode> mode, int limit = 200) {
  return {mode, limit, false};
}

}  // namespace

using remote::Mode;

TEST_CASE("an engine with working credentials is a cluster") {
  TierWorld world;
  CHECK(world.tier->mode() == Mode::cluster);
  CHECK(world.tier->executor() == world.engine);
  CHECK(world.tier->cache() == world.engine);
  CHECK(world.tier->shares() == world.engine);
  CHECK(world.tier->state().because.empty());
}

TEST_CASE("a refused right makes it cache-only, and a right that comes back a cluster again") {
  for (std::optional<Mode> wanted : {std::optional<Mode>(), std::optional<Mode>(Mode::cluster)}) {
    TierWorld world(wanting(wanted));
    world.engine->set_rights({true, false, false});
    CHECK(world.tier->mode() == Mode::cache_only);
    CHECK(world.tier->executor() == nullptr);
    CHECK(world.tier->shares() == nullptr);
    CHECK(world.tier->cache() == world.engine);
    CHECK(world.tier->state().because.find("does not let us execute") != std::string::npos);
    CHECK(world.tier->state().degraded == wanted.has_value());
    world.engine->set_rights({true, true, true});
    CHECK(world.tier->mode() == Mode::cluster);
    CHECK(world.tier->executor() == world.engine);
  }
}

TEST_CASE("credentials that do not work make it cache-only until they do") {
  TierWorld world;
  world.credentials.now = {true, false, "file /token", 0, "the token of /token expired"};
  CHECK(world.tier->mode() == Mode::cache_only);
  CHECK(world.tier->executor() == nullptr);
  CHECK(world.tier->cache() == world.engine);
  CHECK(world.tier->state().because == "the token of /token expired");
  CHECK(world.tier->state().degraded);
  world.credentials.now = {true, true, "file /token", 0, ""};
  CHECK(world.tier->mode() == Mode::cluster);
}

TEST_CASE("without credentials an engine executes only when that is wanted or needs none") {
  remote::CredentialState none{false, false, "none", 0, ""};
  TierWorld automatic;
  automatic.credentials.now = none;
  CHECK(automatic.tier->mode() == Mode::cache_only);
  CHECK(automatic.tier->state().because == "no credentials are configured");
  CHECK(!automatic.tier->state().degraded);
  TierWorld wanted(wanting(Mode::cluster));
  wanted.credentials.now = none;
  CHECK(wanted.tier->mode() == Mode::cluster);
  TierWorld on_this_machine({std::nullopt, 200, true});
  on_this_machine.credentials.now = none;
  CHECK(on_this_machine.tier->mode() == Mode::cluster);
}

TEST_CASE("cache-only never executes, and is no complaint when it is wanted") {
  TierWorld world(wanting(Mode::cache_only));
  CHECK(world.tier->mode() == Mode::cache_only);
  CHECK(world.tier->executor() == nullptr);
  CHECK(world.tier->cache() == world.engine);
  CHECK(world.tier->shares() == world.engine);
  CHECK(world.tier->state().because.empty());
}

TEST_CASE("local and none ask nobody") {
  for (Mode mode : {Mode::local, Mode::none}) {
    TierWorld world(wanting(mode), true);
    CHECK(world.tier->mode() == mode);
    CHECK(world.tier->cache() == nullptr);
    CHECK(world.tier->executor() == nullptr);
    CHECK(world.tier->shares() == nullptr);
  }
}

TEST_CASE("an endpoint that does not answer is not asked, and the mode says so") {
  TierWorld world;
  world.engine->set_available(false);
  CHECK(world.tier->mode() == Mode::local);
  CHECK(world.tier->cache() == nullptr);
  CHECK(world.tier->executor() == nullptr);
  CHECK(world.tier->shares() == nullptr);
  CHECK(world.tier->state().because == "grpc://fake does not answer");
  CHECK(world.tier->state().degraded);
  world.engine->set_available(true);
  CHECK(world.tier->mode() == Mode::cluster);
}

TEST_CASE("with an HTTP cache beside the engine, each makes up for the other") {
  TierWorld world({}, true);
  CHECK(world.tier->cache() != world.http);
  CHECK(world.tier->cache() != world.engine);
  CHECK(world.tier->executor() == world.engine);
  CHECK(world.tier->shares() == world.http);
  world.engine->set_available(false);
  CHECK(world.tier->mode() == Mode::cache_only);
  CHECK(world.tier->cache() == world.http);
  world.http->set_available(false);
  world.engine->set_available(true);
  CHECK(world.tier->mode() == Mode::cluster);
  CHECK(world.tier->cache() == world.engine);
  CHECK(world.tier->shares() == world.engine);
  CHECK(world.tier->state().backends.size() == 2);
}

TEST_CASE("an HTTP cache alone is cache-only; a wish for a cluster is answered in words") {
  for (bool wanted : {false, true}) {
    remote::Tier tier(wanting(wanted ? std::optional<Mode>(Mode::cluster) : std::nullopt), nullptr,
                      std::make_unique<fake::FakeBackend>(), nullptr);
    CHECK(tier.mode() == Mode::cache_only);
    CHECK(tier.executor() == nullptr);
    CHECK(tier.state().because.empty() == !wanted);
  }
}

TEST_CASE("without an endpoint everything is local") {
  remote::Tier automatic({}, nullptr, nullptr, nullptr);
  CHECK(automatic.mode() == Mode::local);
  CHECK(automatic.cache() == nullptr);
  CHECK(automatic.state().because.empty());
  remote::Tier wanted(wanting(Mode::cache_only), nullptr, nullptr, nullptr);
  CHECK(wanted.mode() == Mode::local);
  CHECK(wanted.state().because == "no endpoint is configured");
  CHECK(wanted.state().degraded);
  CHECK(!automatic.state().degraded);
}

TEST_CASE("a refusal for lack of room halves the calls in flight, but not below four") {
  TierWorld world;
  CHECK(world.tier->state().limit == 200);
  for (int expected : {100, 50, 25, 12, 6, 4, 4}) {
    world.tier->exhausted(world.tier->lowerings());
    CHECK(world.tier->gate().limit() == expected);
  }
  TierWorld small(wanting(std::nullopt, 2));
  small.tier->exhausted(small.tier->lowerings());
  CHECK(small.tier->gate().limit() == 2);
}

TEST_CASE("refusals of calls that were in flight together count once") {
  TierWorld world;
  const int before = world.tier->lowerings();
  for (int i = 0; i < 100; ++i) world.tier->exhausted(before);
  CHECK(world.tier->gate().limit() == 100);
  // Of those that began since, the first counts, however many of the others end late or otherwise.
  const int since = world.tier->lowerings();
  world.tier->exhausted(before);
  world.tier->exhausted(since);
  CHECK(world.tier->gate().limit() == 50);
  world.tier->exhausted(before);
  world.tier->exhausted(since);
  CHECK(world.tier->gate().limit() == 50);
}

TEST_CASE("successes win the limit back, and never more than it was") {
  TierWorld world;
  for (int i = 0; i < 3; ++i) world.tier->exhausted(world.tier->lowerings());
  CHECK(world.tier->gate().limit() == 25);
  for (int i = 0; i < 24; ++i) world.tier->succeeded();
  CHECK(world.tier->gate().limit() == 25);
  world.tier->succeeded();
  CHECK(world.tier->gate().limit() == 28);
  for (int i = 0; i < 5000; ++i) world.tier->succeeded();
  CHECK(world.tier->gate().limit() == 200);
}

TEST_CASE("the state tells what is in flight, and whose credentials") {
  TierWorld world(wanting(std::nullopt, 3));
  base::Pass pass = *world.tier->gate().enter({});
  remote::TierState state = world.tier->state();
  CHECK(state.in_flight == 1);
  CHECK(state.limit == 3);
  CHECK(state.waiting == 0);
  CHECK(state.credentials.source == "file /token");
}

TEST_CASE("modes and toolchains have the words of the settings") {
  CHECK(std::string(remote::to_string(Mode::cache_only)) == "cache-only");
  CHECK(std::string(remote::to_string(Mode::cluster)) == "cluster");
  CHECK(std::string(remote::to_string(Mode::none)) == "none");
  CHECK(std::string(remote::to_string(remote::Toolchain::chroot)) == "chroot");
  CHECK(std::string(remote::to_string(remote::Toolchain::inside)) == "inside");
}
