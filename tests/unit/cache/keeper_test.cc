#include "cache/keeper.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>

#include "fake/fake_clock.h"
#include "fake/temp_dir.h"

namespace fs = std::filesystem;

namespace {

struct KeeperFixture {
  fake::TempDir dir;
  fake::FakeClock clock;
  cache::Layout layout{dir.path() + "/v1"};
  cache::Index index;
  cache::Writer writer{cache::real_disk(), clock, layout};
  cache::Keeper keeper{{cache::real_disk(), clock, layout, index, writer}, 8 * 4096};

  KeeperFixture() {
    clock.set_wall(std::chrono::system_clock::now().time_since_epoch());
    writer.open_scratch();
  }
  // A blob on disk that the index knows nothing of.
  base::Digest write(const std::string& content) {
    base::Digest digest = base::digest_of(content);
    REQUIRE(writer.put(layout.entry(cache::EntryKind::blob, digest.hash), cache::seal_blob(digest, content)));
    return digest;
  }
  bool exists(const base::Digest& blob) const {
    return fs::exists(layout.entry(cache::EntryKind::blob, blob.hash));
  }
};

}  // namespace

TEST_CASE("what other daemons wrote is found and counted") {
  KeeperFixture f;
  f.write("one");
  f.write(std::string(5000, 'x'));
  f.keeper.maintain();
  CHECK(f.index.totals().blobs == 2);
  CHECK(f.index.totals().bytes == 3 * 4096);
}

TEST_CASE("eviction goes by what is on disk, down to nine tenths") {
  KeeperFixture f;
  for (int i = 0; i < 12; ++i) f.write("blob " + std::to_string(i));
  f.keeper.maintain();
  CHECK(f.index.totals().blobs == 7);
  CHECK(f.keeper.evicted() == 5);
}

TEST_CASE("while another daemon evicts, this one does not") {
  KeeperFixture f;
  for (int i = 0; i < 12; ++i) f.write("blob " + std::to_string(i));
  base::Result<base::Fd> lock = base::open_file(f.layout.evict_lock(), O_RDWR | O_CREAT, 0600);
  REQUIRE(::flock(lock->get(), LOCK_EX) == 0);
  f.keeper.maintain();
  CHECK(f.keeper.evicted() == 0);
  CHECK(f.index.totals().blobs == 12);
  lock->reset();
  f.keeper.maintain();
  CHECK(f.keeper.evicted() == 5);
}

TEST_CASE("a damaged blob is not compressed, and left for its reader to find") {
  KeeperFixture f;
  base::Digest blob = f.write(std::string(20'000, 'x'));
  std::string path = f.layout.entry(cache::EntryKind::blob, blob.hash);
  std::string bytes = *base::read_file(path);
  bytes[7] = 'y';
  REQUIRE(f.writer.put(path, bytes));
  f.clock.advance(std::chrono::hours(25));
  f.keeper.maintain();
  CHECK(*base::read_file(path) == bytes);
}

TEST_CASE("the thread ends at once when it is told to, whatever it is at") {
  KeeperFixture f;
  std::stop_source stop;
  stop.request_stop();
  f.keeper.run(stop.get_token());
  f.write("x");
  CHECK(f.index.totals().blobs == 0);
}
