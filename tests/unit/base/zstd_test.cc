#include "base/zstd.h"

#include <doctest/doctest.h>

#include "fake/noise.h"

TEST_CASE("what was compressed comes back") {
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{3'000'000}}) {
    for (const std::string& bytes : {std::string(size, 'a'), fake::noise(size)}) {
      for (int level : {1, 3}) {
        base::Result<std::string> frame = base::zstd_compress(bytes, level);
        REQUIRE(frame);
        base::Result<std::string> back = base::zstd_decompress(*frame, size);
        REQUIRE(back);
        CHECK(*back == bytes);
      }
    }
  }
}

TEST_CASE("several frames are one content") {
  std::string frames = *base::zstd_compress("one ", 1) + *base::zstd_compress("two", 1);
  CHECK(*base::zstd_decompress(frames, 7) == "one two");
}

TEST_CASE("content over the limit is refused, however small the frame") {
  std::string frame = *base::zstd_compress(std::string(100'000'000, 'x'), 1);
  CHECK(frame.size() < 20'000);
  CHECK(base::zstd_decompress(frame, 99'999'999).error().kind == base::ErrorKind::invalid);
  CHECK(base::zstd_decompress(frame, 10).error().kind == base::ErrorKind::invalid);
  CHECK(base::zstd_decompress(frame, 0).error().kind == base::ErrorKind::invalid);
  CHECK(base::zstd_decompress(frame, 100'000'000).ok());
}

TEST_CASE("a frame cut at any byte is refused") {
  std::string frame = *base::zstd_compress("the quick brown fox jumps over the lazy dog", 1);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    CAPTURE(size);
    CHECK(!base::zstd_decompress(frame.substr(0, size), 1000));
  }
  CHECK(!base::zstd_decompress(frame + "x", 1000));
  CHECK(!base::zstd_decompress("not a frame", 1000));
}
