#include "cache/index.h"

#include <doctest/doctest.h>

namespace {

using cache::EntryKind;

constexpr std::int64_t kMinute = 60'000'000'000;

cache::Hash hash_of(int n, int shard = 0) {
  cache::Hash hash = base::digest_of(std::to_string(n)).hash;
  hash[0] = static_cast<std::uint8_t>(shard);
  return hash;
}

std::string name_of(const cache::Hash& hash) {
  base::Digest digest;
  digest.hash = hash;
  return digest.hex().substr(2);
}

}  // namespace

TEST_CASE("sizes are counted in blocks, by kind, once per entry") {
  cache::Index index;
  index.put(EntryKind::blob, hash_of(1), 1, 0);
  index.put(EntryKind::blob, hash_of(1), 4097, 0);
  index.put(EntryKind::outcome, hash_of(1), 4096, 0);
  CHECK(index.totals().bytes == 8192 + 4096);
  CHECK(index.totals().blobs == 1);
  CHECK(index.totals().outcomes == 1);
  index.remove(EntryKind::blob, hash_of(1));
  index.remove(EntryKind::blob, hash_of(1));
  CHECK(index.totals().bytes == 4096);
  index.clear();
  CHECK(index.totals().bytes == 0);
  CHECK(index.totals().outcomes == 0);
}

TEST_CASE("a stamp is due an hour after the last") {
  cache::Index index;
  index.put(EntryKind::blob, hash_of(1), 1, 0);
  CHECK(!index.use(EntryKind::blob, hash_of(1), 59 * kMinute, 1, 0));
  CHECK(index.use(EntryKind::blob, hash_of(1), 60 * kMinute, 1, 0));
  CHECK(!index.use(EntryKind::blob, hash_of(1), 61 * kMinute, 1, 0));
  // An entry met for the first time is as old as its file.
  CHECK(index.use(EntryKind::blob, hash_of(2), 100 * kMinute, 5000, 0));
  CHECK(!index.use(EntryKind::blob, hash_of(3), 100 * kMinute, 1, 50 * kMinute));
  CHECK(index.totals().bytes == 4096 + 8192 + 4096);
}

TEST_CASE("a listing adds, corrects and drops, but keeps what was put since it began") {
  cache::Index index;
  index.put(EntryKind::blob, hash_of(1), 1, 0);
  index.put(EntryKind::blob, hash_of(2), 1, 0);
  index.put(EntryKind::blob, hash_of(3, 7), 1, 0);
  std::uint64_t begun = index.begin_listing();
  index.put(EntryKind::blob, hash_of(4), 1, 0);
  std::vector<cache::Listed> listing{{name_of(hash_of(1)), false, 9000, 5},
                                     {name_of(hash_of(5)), false, 1, 5},
                                     {"stranger", false, 1 << 20, 5},
                                     {name_of(hash_of(6)), true, 0, 5}};
  index.set_shard(EntryKind::blob, 0, listing, 10, begun);
  CHECK(index.totals().blobs == 4);  // 1, 4, 5, and 3 in the other shard
  CHECK(index.totals().bytes == 3 * 4096 + 4096 + 2 * 4096);
}

TEST_CASE("the oldest go first, outcomes before blobs of the same age, and no more than needed") {
  cache::Index index;
  index.put(EntryKind::blob, hash_of(1), 1, 10);
  index.put(EntryKind::outcome, hash_of(2), 1, 10);
  index.put(EntryKind::blob, hash_of(3), 1, 5);
  index.put(EntryKind::blob, hash_of(4), 1, 20);
  CHECK(index.oldest_beyond(4 * 4096).empty());
  std::vector<cache::IndexItem> items = index.oldest_beyond(2 * 4096);
  REQUIRE(items.size() == 2);
  CHECK(items[0].hash == hash_of(3));
  CHECK(items[1].hash == hash_of(2));
  // A use makes young.
  index.use(EntryKind::blob, hash_of(3), 30, 1, 0);
  CHECK(index.oldest_beyond(3 * 4096).at(0).hash == hash_of(2));
}

TEST_CASE("old large blobs are handed out once") {
  cache::Index index;
  index.put(EntryKind::blob, hash_of(1), 100'000, 5);
  index.put(EntryKind::blob, hash_of(2), 100, 5);
  index.put(EntryKind::blob, hash_of(3), 100'000, 50);
  index.put(EntryKind::outcome, hash_of(4), 100'000, 5);
  index.put(EntryKind::blob, hash_of(5, 9), 100'000, 6);
  CHECK(index.take_old_blobs(8192, 10, 1).size() == 1);
  CHECK(index.take_old_blobs(8192, 10, 9).size() == 1);
  CHECK(index.take_old_blobs(8192, 10, 9).empty());
  CHECK(index.take_old_blobs(8192, 60, 9).size() == 1);
}
