#include "base/digest.h"

#include <doctest/doctest.h>

TEST_CASE("the digest of known bytes is the published one") {
  CHECK(base::digest_of("").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(base::digest_of("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(base::digest_of("abc").size == 3);
}

TEST_CASE("a digest made in pieces equals that of the whole") {
  base::Hasher hasher;
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  CHECK(hasher.finish() == base::digest_of("abc"));
}

TEST_CASE("a digest is read back from its hex, and nothing else is") {
  base::Digest digest = base::digest_of("abc");
  base::Result<base::Digest> read = base::parse_digest(digest.hex(), 3);
  REQUIRE(read.ok());
  CHECK(*read == digest);
  CHECK(!base::parse_digest(digest.hex().substr(1), 3).ok());
  CHECK(!base::parse_digest(std::string(64, 'A'), 3).ok());
  CHECK(!base::parse_digest(std::string(64, 'g'), 3).ok());
  CHECK(!base::parse_digest(digest.hex(), -1).ok());
}
