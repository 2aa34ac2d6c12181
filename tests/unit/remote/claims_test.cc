#include "remote/claims.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "fake/noise.h"

using remote::Cause;
using remote::Failure;

TEST_CASE("a blob that one sends is waited for by the other") {
  remote::Claims claims;
  int one = 0;
  int two = 0;
  auto first = claims.take({fake::numbered_digest(1), fake::numbered_digest(2)}, &one);
  CHECK(first.mine.size() == 2);
  auto second = claims.take({fake::numbered_digest(2), fake::numbered_digest(3)}, &two);
  CHECK(second.mine == std::vector{fake::numbered_digest(3)});
  REQUIRE(second.theirs.size() == 1);

  remote::Remote<std::vector<base::Digest>> given_up = std::vector{fake::numbered_digest(9)};
  std::thread waiter([&] { given_up = claims.await(second.theirs, {}); });
  claims.settle({fake::numbered_digest(2)}, &one, std::nullopt);
  waiter.join();
  REQUIRE(given_up.ok());
  CHECK(given_up->empty());
}

TEST_CASE("what was settled before the wait counts") {
  remote::Claims claims;
  int one = 0;
  int two = 0;
  claims.take({fake::numbered_digest(1)}, &one);
  auto second = claims.take({fake::numbered_digest(1)}, &two);
  claims.settle({fake::numbered_digest(1)}, &one, std::nullopt);
  CHECK(claims.await(second.theirs, {})->empty());
  // It may be claimed again.
  CHECK(claims.take({fake::numbered_digest(1)}, &two).mine.size() == 1);
}

TEST_CASE("a sender that was stopped, or failed for a blob of its own, leaves the blob to others") {
  for (Cause cause :
       {Cause::cancelled, Cause::local, Cause::too_large, Cause::invalid, Cause::corrupt, Cause::engine}) {
    remote::Claims claims;
    int one = 0;
    int two = 0;
    claims.take({fake::numbered_digest(1)}, &one);
    auto second = claims.take({fake::numbered_digest(1)}, &two);
    claims.settle({fake::numbered_digest(1)}, &one, Failure{cause, "gone"});
    auto given_up = claims.await(second.theirs, {});
    REQUIRE(given_up.ok());
    CHECK(*given_up == std::vector{fake::numbered_digest(1)});
  }
}

TEST_CASE("a server's refusal is the answer for all who wait") {
  remote::Claims claims;
  int one = 0;
  int two = 0;
  claims.take({fake::numbered_digest(1)}, &one);
  auto second = claims.take({fake::numbered_digest(1)}, &two);
  claims.settle({fake::numbered_digest(1)}, &one, Failure{Cause::denied, "no right"});
  auto given_up = claims.await(second.theirs, {});
  REQUIRE(!given_up.ok());
  CHECK(given_up.error().cause == Cause::denied);
}

TEST_CASE("only the owner ends a claim") {
  remote::Claims claims;
  int one = 0;
  int two = 0;
  claims.take({fake::numbered_digest(1)}, &one);
  claims.settle({fake::numbered_digest(1)}, &two, std::nullopt);
  CHECK(claims.take({fake::numbered_digest(1)}, &two).mine.empty());
}

TEST_CASE("a stop ends the wait") {
  remote::Claims claims;
  int one = 0;
  int two = 0;
  claims.take({fake::numbered_digest(1)}, &one);
  auto second = claims.take({fake::numbered_digest(1)}, &two);
  std::stop_source stop;
  remote::Remote<std::vector<base::Digest>> given_up = std::vector<base::Digest>();
  std::thread waiter([&] { given_up = claims.await(second.theirs, stop.get_token()); });
  stop.request_stop();
  waiter.join();
  REQUIRE(!given_up.ok());
  CHECK(given_up.error().cause == Cause::cancelled);
}
