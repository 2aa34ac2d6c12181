#include "base/machine.h"

#include <doctest/doctest.h>
#include <sched.h>

TEST_CASE("the affinity mask bounds the processors") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(base::processor_count() >= 1);
  CHECK(base::processor_count() <= CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &before)) {
      CPU_SET(i, &one);
      break;
    }
  }
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(base::processor_count() == 1);
  ::sched_setaffinity(0, sizeof before, &before);
}

TEST_CASE("memory pressure never takes the last slot") {
  CHECK(base::slots_under_memory_pressure(1) == 1);
  int slots = base::slots_under_memory_pressure(8);
  CHECK((slots == 8 || slots == 4));
}
