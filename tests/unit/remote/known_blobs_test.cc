#include "remote/known_blobs.h"

#include <doctest/doctest.h>

#include <string>

#include "fake/fake_clock.h"

using std::chrono::minutes;

namespace {

base::Digest blob(int number) { return base::digest_of("blob " + std::to_string(number)); }

}  // namespace

TEST_CASE("what was confirmed is known, and nothing else") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock);
  CHECK(!known.has(blob(1)));
  known.add({blob(1), blob(2)}, known.epoch());
  CHECK(known.has(blob(1)));
  CHECK(known.unknown_of({blob(3), blob(1), blob(4), blob(2)}) == std::vector{blob(3), blob(4)});
}

TEST_CASE("it is known for half of the lifetime at least, and never for longer than all of it") {
  for (int begun : {0, 7, 14}) {
    fake::FakeClock clock;
    remote::KnownBlobs known(clock, minutes(30));
    clock.advance(minutes(begun));
    known.add({blob(1)}, known.epoch());
    clock.advance(minutes(14));
    CHECK(known.has(blob(1)));
    // Looking at it does not make it younger.
    clock.advance(minutes(16));
    CHECK(!known.has(blob(1)));
  }
}

TEST_CASE("nothing survives a long silence") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock, minutes(30));
  known.add({blob(1)}, known.epoch());
  clock.advance(minutes(600));
  CHECK(!known.has(blob(1)));
  known.add({blob(1)}, known.epoch());
  CHECK(known.has(blob(1)));
}

TEST_CASE("a clear forgets everything at once") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock, minutes(30));
  known.add({blob(1)}, known.epoch());
  clock.advance(minutes(16));
  known.add({blob(2)}, known.epoch());
  known.clear();
  CHECK(known.unknown_of({blob(1), blob(2)}).size() == 2);
}

TEST_CASE("an answer to a question from before a clear is not believed") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock);
  std::uint64_t before = known.epoch();
  known.clear();
  known.add({blob(1)}, before);
  CHECK(!known.has(blob(1)));
  known.add({blob(1)}, known.epoch());
  CHECK(known.has(blob(1)));
}

TEST_CASE("when there are too many, the older ones go") {
  fake::FakeClock clock;
  remote::KnownBlobs known(clock, minutes(30), 10);
  for (int i = 0; i < 100; ++i) known.add({blob(i)}, known.epoch());
  int remembered = 0;
  for (int i = 0; i < 100; ++i) remembered += known.has(blob(i)) ? 1 : 0;
  CHECK(remembered <= 10);
  CHECK(remembered >= 5);
  CHECK(known.has(blob(99)));
  CHECK(!known.has(blob(0)));
}
