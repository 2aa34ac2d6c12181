#include "base/clock.h"

#include <doctest/doctest.h>

TEST_CASE("uptime never goes back and the wall clock is in this century") {
  base::Nanoseconds before = base::real_clock().uptime();
  CHECK(base::real_clock().uptime() >= before);
  CHECK(base::real_clock().wall() > std::chrono::hours(24 * 365 * 50));
}
