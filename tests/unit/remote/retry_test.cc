#include "remote/retry.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"

using std::chrono::milliseconds;

TEST_CASE("pauses double from 100 ms to 5 s, and chance takes up to half") {
  CHECK(remote::backoff(0, 0) == milliseconds(100));
  CHECK(remote::backoff(1, 0) == milliseconds(200));
  CHECK(remote::backoff(20, 0) == milliseconds(5000));
  CHECK(remote::backoff(0, 1) == milliseconds(50));
  CHECK(remote::backoff(2, 0.5) == milliseconds(300));
}

TEST_CASE("chance stays within its bounds") {
  remote::Jitter jitter;
  for (int at = 0; at < 1000; ++at) {
    double value = jitter.next();
    CHECK(value >= 0);
    CHECK(value <= 1);
  }
}

TEST_CASE("retries are a small part of the calls") {
  fake::FakeClock clock;
  remote::RetryBudget budget(clock);
  int saved = 0;
  while (budget.spend()) ++saved;
  CHECK(saved == 20);
  int retries = 0;
  for (int call = 0; call < 1000; ++call) {
    budget.earn();
    if (budget.spend()) ++retries;
  }
  CHECK(retries >= 95);
  CHECK(retries <= 100);
}

TEST_CASE("one retry a second comes for free, and no more than 20 are saved") {
  fake::FakeClock clock;
  remote::RetryBudget budget(clock);
  while (budget.spend()) continue;
  clock.advance(std::chrono::seconds(2));
  CHECK(budget.spend());
  CHECK(budget.spend());
  CHECK_FALSE(budget.spend());
  clock.advance(std::chrono::hours(1));
  int saved = 0;
  while (budget.spend()) ++saved;
  CHECK(saved == 20);
}
