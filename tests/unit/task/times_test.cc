#include "task/times.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"

TEST_CASE("nothing is known at first") {
  fake::FakeClock clock;
  task::Times times(clock);
  task::Estimate estimate = times.estimate("a.cc");
  CHECK(estimate.local_us == 0);
  CHECK(estimate.remote_us == 0);
  CHECK(estimate.look_up_us == 0);
  CHECK(estimate.steady);
}

TEST_CASE("a unit's own time is better than the mean") {
  fake::FakeClock clock;
  task::Times times(clock);
  times.note_local("a.cc", 1'000);
  times.note_local("b.cc", 9'000);
  times.note_remote("a.cc", 500);
  CHECK(times.estimate("a.cc").local_us == 1'000);
  CHECK(times.estimate("b.cc").local_us == 9'000);
  CHECK(times.estimate("b.cc").remote_us == 500);
  CHECK(times.estimate("c.cc").local_us == 2'000);
}

TEST_CASE("answers are steady until one has stayed away for a while") {
  fake::FakeClock clock;
  task::Times times(clock);
  clock.advance(std::chrono::hours(1));
  // Nobody was asked.
  CHECK(times.estimate("a.cc").steady);
  times.note_question();
  clock.advance(std::chrono::milliseconds(1'999));
  times.note_question();
  CHECK(times.estimate("a.cc").steady);
  clock.advance(std::chrono::milliseconds(2));
  CHECK(!times.estimate("a.cc").steady);
  times.note_reply();
  CHECK(times.estimate("a.cc").steady);
  // Where each answer takes long, a longer silence means nothing.
  times.note_remote("a.cc", 5'000'000);
  times.note_question();
  clock.advance(std::chrono::seconds(14));
  CHECK(times.estimate("a.cc").steady);
  clock.advance(std::chrono::seconds(2));
  CHECK(!times.estimate("a.cc").steady);
  times.note_look_up(100);
  CHECK(times.estimate("a.cc").steady);
}
