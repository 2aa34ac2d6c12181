#include "remote/quirks.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"

using remote::Feature;

TEST_CASE("features are there until they are lost, each for itself") {
  fake::FakeClock clock;
  remote::Quirks quirks(clock);
  CHECK(quirks.has(Feature::zstd_streams));
  quirks.lost(Feature::zstd_streams);
  CHECK(!quirks.has(Feature::zstd_streams));
  CHECK(quirks.has(Feature::zstd_batches));
  CHECK(quirks.has(Feature::batch_update));
  CHECK(quirks.has(Feature::batch_read));
  CHECK(quirks.has(Feature::query_write_status));
}

TEST_CASE("a refused message halves the limit, for a while") {
  fake::FakeClock clock;
  remote::Quirks quirks(clock);
  CHECK(quirks.message_limit(4 << 20) == 4 << 20);
  quirks.refused(2 << 20);
  CHECK(quirks.message_limit(4 << 20) == 1 << 20);
  // A larger one refused later, by a task that did not know, does not raise it.
  quirks.refused(4 << 20);
  CHECK(quirks.message_limit(4 << 20) == 1 << 20);
  CHECK(quirks.message_limit(1 << 10) == 1 << 10);
  clock.advance(remote::Quirks::kMemory);
  CHECK(quirks.message_limit(4 << 20) == 4 << 20);
}

TEST_CASE("the limit has a floor") {
  fake::FakeClock clock;
  remote::Quirks quirks(clock);
  quirks.refused(100);
  CHECK(quirks.message_limit(4 << 20) == remote::Quirks::kLeast);
}

TEST_CASE("a blob that was refused as a stream stands for all that are as large, for a while") {
  fake::FakeClock clock;
  remote::Quirks quirks(clock);
  CHECK(quirks.takes_stream(5'000'000));
  quirks.refused_stream(2'000'000);
  quirks.refused_stream(3'000'000);
  CHECK(quirks.takes_stream(1'999'999));
  CHECK(!quirks.takes_stream(2'000'000));
  CHECK(quirks.message_limit(4 << 20) == 4 << 20);
  clock.advance(remote::Quirks::kMemory);
  CHECK(quirks.takes_stream(5'000'000));
}
