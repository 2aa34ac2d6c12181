#include "base/zstd_stream.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/zstd.h"
#include "fake/noise.h"

namespace {

std::string encode(const std::string& bytes, std::size_t step) {
  base::ZstdEncoder encoder(bytes.size(), 1);
  std::string out;
  for (std::size_t at = 0; at < bytes.size() || at == 0; at += step) {
    base::Result<void> added =
        encoder.add(std::string_view(bytes).substr(at, step), at + step >= bytes.size(), out);
    REQUIRE(added.ok());
  }
  return out;
}

}  // namespace

TEST_CASE("what was encoded in pieces is one frame that tells its size") {
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(700'000, 'a'), fake::noise(700'000)}) {
    for (std::size_t step : {std::size_t{1'000}, std::size_t{300'000}, std::size_t{1'000'000}}) {
      std::string frame = encode(bytes, step);
      base::Result<std::string> back = base::zstd_decompress(frame, bytes.size());
      REQUIRE(back.ok());
      CHECK(*back == bytes);
    }
  }
}

TEST_CASE("content of another size than was told is an error") {
  std::string out;
  base::ZstdEncoder less(10, 1);
  CHECK(less.add("nine byte", true, out).error().kind == base::ErrorKind::invalid);
  base::ZstdEncoder more(10, 1);
  CHECK(more.add("eleven", false, out).ok());
  CHECK(more.add("bytes", false, out).error().kind == base::ErrorKind::invalid);
}

TEST_CASE("frames are decoded from pieces of any size") {
  std::string bytes = fake::noise(200'000) + std::string(500'000, 'b');
  std::string frames = encode(bytes, 50'000) + encode("tail", 4);
  for (std::size_t step : {std::size_t{1}, std::size_t{777}, frames.size()}) {
    base::ZstdDecoder decoder(bytes.size() + 4);
    std::string out;
    bool good = true;
    for (std::size_t at = 0; at < frames.size() && good; at += step)
      good = decoder.add(std::string_view(frames).substr(at, step), out).ok();
    CHECK(good);
    CHECK(out == bytes + "tail");
    CHECK(decoder.whole());
  }
}

TEST_CASE("an unfinished frame is not whole") {
  std::string frame = encode(fake::noise(100'000), 100'000);
  base::ZstdDecoder decoder(100'000);
  std::string out;
  REQUIRE(decoder.add(std::string_view(frame).substr(0, frame.size() - 1), out).ok());
  CHECK(!decoder.whole());
}

TEST_CASE("bytes that are no frame, and content over the limit, are invalid") {
  std::string out;
  base::ZstdDecoder garbage(1'000);
  CHECK(garbage.add("this is no frame at all", out).error().kind == base::ErrorKind::invalid);

  std::string bomb = encode(std::string(50'000'000, 'x'), 1'000'000);
  base::ZstdDecoder limited(1'000'000);
  out.clear();
  CHECK(limited.add(bomb, out).error().kind == base::ErrorKind::invalid);
  CHECK(out.size() < 1'200'000);
}
