#include "remote/resource_name.h"

#include <doctest/doctest.h>

#include <set>

namespace {

const base::Digest kDigest = base::digest_of("hello");
const std::string kHash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

}  // namespace

TEST_CASE("names have the instance before them only when there is one, and never the digest function") {
  CHECK(remote::read_name("", kDigest, false) == "blobs/" + kHash + "/5");
  CHECK(remote::read_name("a/b", kDigest, false) == "a/b/blobs/" + kHash + "/5");
  CHECK(remote::write_name("", "u", kDigest, false) == "uploads/u/blobs/" + kHash + "/5");
  CHECK(remote::write_name("main", "u", kDigest, false) == "main/uploads/u/blobs/" + kHash + "/5");
}

TEST_CASE("compressed names tell the size of the content") {
  CHECK(remote::read_name("i", kDigest, true) == "i/compressed-blobs/zstd/" + kHash + "/5");
  CHECK(remote::write_name("", "u", kDigest, true) == "uploads/u/compressed-blobs/zstd/" + kHash + "/5");
}

TEST_CASE("uuids are random, of version 4, in lower case") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    std::string uuid = remote::new_uuid();
    REQUIRE(uuid.size() == 36);
    CHECK(uuid[8] == '-');
    CHECK(uuid[13] == '-');
    CHECK(uuid[14] == '4');
    CHECK(uuid[18] == '-');
    CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
    CHECK(uuid[23] == '-');
    CHECK(uuid.find_first_not_of("0123456789abcdef-") == std::string::npos);
    seen.insert(uuid);
  }
  CHECK(seen.size() == 100);
}
