#include "cache/entry_file.h"

#include <doctest/doctest.h>

namespace {

const std::string kContent = "the content of a small blob";

std::string flipped(std::string bytes, std::size_t at, int bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  return bytes;
}

}  // namespace

TEST_CASE("the layout is the one that is written down") {
  base::Digest blob = base::digest_of(kContent);
  std::string file = cache::seal_blob(blob, kContent);
  REQUIRE(file.size() == kContent.size() + 96);
  CHECK(file.substr(0, kContent.size()) == kContent);
  std::string trailer = file.substr(kContent.size());
  CHECK(trailer.substr(0, 8) == "gomakept");
  CHECK(trailer.substr(8, 8) == std::string("\1\1\0\0\0\0\0\0", 8));
  CHECK(trailer.substr(16, 8) == std::string("\x1b\0\0\0\0\0\0\0", 8));
  CHECK(trailer.substr(24, 8) == std::string("\x1b\0\0\0\0\0\0\0", 8));
  CHECK(trailer.substr(32, 32) == std::string(blob.hash.begin(), blob.hash.end()));
  base::Digest check = base::digest_of(trailer.substr(0, 64));
  CHECK(trailer.substr(64) == std::string(check.hash.begin(), check.hash.end()));

  base::Digest action = base::digest_of("an action");
  std::string outcome = cache::seal_outcome(action, kContent);
  base::Digest whole = base::digest_of(outcome.substr(0, outcome.size() - 32));
  CHECK(outcome[kContent.size() + 9] == 2);
  CHECK(outcome.substr(outcome.size() - 32) == std::string(whole.hash.begin(), whole.hash.end()));
}

TEST_CASE("what was sealed opens") {
  base::Digest blob = base::digest_of(kContent);
  CHECK(*cache::open_blob(blob, cache::seal_blob(blob, kContent)) == kContent);
  CHECK(*cache::open_outcome(blob, cache::seal_outcome(blob, kContent)) == kContent);
  base::Digest none = base::digest_of("");
  CHECK(*cache::open_blob(none, cache::seal_blob(none, "")) == "");

  std::string large(10'000, 'x');
  base::Digest digest = base::digest_of(large);
  base::Result<std::string> sealed = cache::seal_compressed(digest, large, 2);
  REQUIRE(sealed);
  CHECK(sealed->size() < 200);
  CHECK(*cache::open_blob(digest, *sealed) == large);
  CHECK(cache::read_trailer(*sealed)->encoding == cache::Encoding::zstd);
  CHECK(cache::seal_compressed(blob, kContent, 2)->empty());
}

TEST_CASE("no flipped bit and no cut goes unnoticed") {
  base::Digest blob = base::digest_of(kContent);
  std::string file = cache::seal_blob(blob, kContent);
  std::string outcome = cache::seal_outcome(blob, kContent);
  for (std::size_t i = 0; i < file.size(); ++i) {
    CAPTURE(i);
    for (int bit = 0; bit < 8; ++bit) {
      CHECK(!cache::open_blob(blob, flipped(file, i, bit)));
      CHECK(!cache::open_outcome(blob, flipped(outcome, i, bit)));
    }
    CHECK(!cache::open_blob(blob, file.substr(0, i)));
    CHECK(!cache::open_blob(blob, file.substr(i + 1)));
    CHECK(!cache::open_outcome(blob, outcome.substr(0, i)));
    CHECK(!cache::open_outcome(blob, outcome.substr(i + 1)));
  }
  CHECK(!cache::open_blob(blob, file + "x"));
}

TEST_CASE("an entry is no other entry") {
  base::Digest one = base::digest_of("one");
  base::Digest two = base::digest_of("two");
  CHECK(!cache::open_blob(two, cache::seal_blob(one, "one")));
  CHECK(!cache::open_outcome(two, cache::seal_outcome(one, "x")));
  CHECK(!cache::open_blob(one, cache::seal_outcome(one, "one")));
  CHECK(!cache::open_outcome(one, cache::seal_blob(one, "one")));
  // A file that lies about its content.
  CHECK(!cache::open_blob(one, cache::seal_blob(one, "two")));
}

TEST_CASE("a frame that unpacks to more than it says is refused") {
  base::Digest small = base::digest_of("small");
  std::string large(100'000, 'x');
  base::Result<std::string> sealed = cache::seal_compressed(small, large, 1);
  REQUIRE(sealed);
  CHECK(!cache::open_blob(small, *sealed));
}
