#include "cache/layout.h"

#include <doctest/doctest.h>

TEST_CASE("an entry stands in the directory of its first two digits") {
  cache::Layout layout("/c/v1");
  base::Digest digest = base::digest_of("");
  CHECK(layout.entry(cache::EntryKind::blob, digest.hash) ==
        "/c/v1/cas/e3/b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(layout.entry(cache::EntryKind::outcome, digest.hash).starts_with("/c/v1/ac/e3/b0c4"));
  CHECK(layout.shard(cache::EntryKind::outcome, 0x0a) == "/c/v1/ac/0a");
  CHECK(layout.shard(cache::EntryKind::blob, 0xf0) == "/c/v1/cas/f0");
}

TEST_CASE("only names of entries are read back") {
  std::string name = "b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  CHECK(*cache::Layout::parse(0xe3, name) == base::digest_of("").hash);
  CHECK(!cache::Layout::parse(0xe3, name + "0"));
  CHECK(!cache::Layout::parse(0xe3, name.substr(1)));
  CHECK(!cache::Layout::parse(0xe3, "B" + name.substr(1)));
  CHECK(!cache::Layout::parse(0xe3, ".nfs000001"));
  CHECK(!cache::Layout::parse(0xe3, ""));
}
