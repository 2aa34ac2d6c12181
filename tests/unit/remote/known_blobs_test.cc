#include "remote/known_blobs.h"

#include <doctest/doctest.h>

#include <string>

#include "fake/fake_clock.h"
#include "fake/noise.h"

using std::chrono::minutes;

TEST_CASE("what was confirmed is known, and nothing else") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock);
  CHECK(!known.has(fake::numbered_digest(1)));
  known.add({fake::numbered_digest(1), fake::numbered_digest(2)}, known.epoch());
  CHECK(known.has(fake::numbered_digest(1)));
  CHECK(known.unknown_of({fake::numbered_digest(3), fake::numbered_digest(1), fake::numbered_digest(4),
                          fake::numbered_digest(2)}) ==
        std::vector{fake::numbered_digest(3), fake::numbered_digest(4)});
}

TEST_CASE("it is known for half of the lifetime at least, and never for longer than all of it") {
  for (int begun : {0, 7, 14}) {
    fake::FakeClock clock;
    remote::KnownBlobs known(clock, minutes(30));
    clock.advance(minutes(begun));
    known.add({fake::numbered_digest(1)}, known.epoch());
    clock.advance(minutes(14));
    CHECK(known.has(fake::numbered_digest(1)));
    // Looking at it does not make it younger.
    clock.advance(minutes(16));
    CHECK(!known.has(fake::numbered_digest(1)));
  }
}

TEST_CASE("nothing survives a long silence") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock, minutes(30));
  known.add({fake::numbered_digest(1)}, known.epoch());
  clock.advance(minutes(600));
  CHECK(!known.has(fake::numbered_digest(1)));
  known.add({fake::numbered_digest(1)}, known.epoch());
  CHECK(known.has(fake::numbered_digest(1)));
}

TEST_CASE("a clear forgets everything at once") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock, minutes(30));
  known.add({fake::numbered_digest(1)}, known.epoch());
  clock.advance(minutes(16));
  known.add({fake::numbered_digest(2)}, known.epoch());
  known.clear();
  CHECK(known.unknown_of({fake::numbered_digest(1), fake::numbered_digest(2)}).size() == 2);
}

TEST_CASE("an answer to a question from before a clear is not believed") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock);
  std::uint64_t before = known.epoch();
  known.clear();
  known.add({fake::numbered_digest(1)}, before);
  CHECK(!known.has(fake::numbered_digest(1)));
  known.add({fake::numbered_digest(1)}, known.epoch());
  CHECK(known.has(fake::numbered_digest(1)));
}

TEST_CASE("when there are too many, the older ones go") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock, minutes(30), 10);
  for (int i = 0; i < 100; ++i) known.add({fake::numbered_digest(i)}, known.epoch());
  int remembered = 0;
  for (int i = 0; i < 100; ++i) remembered += known.has(fake::numbered_digest(i)) ? 1 : 0;
  CHECK(remembered <= 10);
  CHECK(remembered >= 5);
  CHECK(known.has(fake::numbered_digest(99)));
  CHECK(!known.has(fake::numbered_digest(0)));
}
