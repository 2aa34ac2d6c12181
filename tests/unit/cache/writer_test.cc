#include "cache/writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>

#include "fake/fake_clock.h"
#include "fake/faulty_disk.h"
#include "fake/temp_dir.h"

namespace fs = std::filesystem;
using fake::FaultyDisk;

namespace {

struct WriterFixture {
  fake::TempDir dir;
  fake::FakeClock clock;
  cache::Layout layout{dir.path() + "/v1"};
  std::string path = dir.path() + "/v1/ac/00/entry";
};

}  // namespace

TEST_CASE("a file is put whole, missing folders are made, and no temporary is left") {
  WriterFixture fixture;
  cache::Writer writer(cache::real_disk(), fixture.clock, fixture.layout);
  writer.open_scratch();
  REQUIRE(writer.put(fixture.path, "one"));
  REQUIRE(writer.put(fixture.path, "two"));
  CHECK(*base::read_file(fixture.path) == "two");
  CHECK(fs::is_empty(writer.scratch_directory()));
  writer.close_scratch();
  CHECK(fs::is_empty(fixture.layout.scratch_root()));
}

TEST_CASE("after a failure nothing is tried for 30 seconds, then again") {
  WriterFixture fixture;
  FaultyDisk disk(FaultyDisk::Fault::keeps_failing, 1000, 1);
  cache::Writer writer(disk, fixture.clock, fixture.layout);
  writer.open_scratch();
  REQUIRE(writer.put(fixture.path, "one"));
  FaultyDisk full(FaultyDisk::Fault::fails, 3, 1);
  cache::Writer other(full, fixture.clock, fixture.layout);
  other.open_scratch();  // two calls
  CHECK(!other.put(fixture.path, "two"));
  CHECK(other.errors() == 1);
  CHECK(other.last_error().find("No space left") != std::string::npos);
  unsigned calls = full.calls();
  fixture.clock.advance(std::chrono::seconds(29));
  base::Result<void> refused = other.put(fixture.path, "two");
  REQUIRE(!refused);
  CHECK(refused.error().kind == base::ErrorKind::io);
  CHECK(full.calls() == calls);
  CHECK(other.errors() == 1);
  fixture.clock.advance(std::chrono::seconds(1));
  CHECK(other.put(fixture.path, "two"));
  CHECK(other.last_error() == "");
}

TEST_CASE("a copy that fails half way leaves nothing") {
  WriterFixture fixture;
  std::string source = fixture.dir.path() + "/source";
  REQUIRE(base::write_file_atomic(source, "bytes"));
  base::Result<base::Fd> fd = base::open_file(source, O_RDONLY);
  for (unsigned call = 3; call <= 6; ++call) {
    FaultyDisk disk(FaultyDisk::Fault::fails, call, 1);
    cache::Writer writer(disk, fixture.clock, fixture.layout);
    writer.open_scratch();
    base::Result<base::Digest> added = writer.put_copy(fd->get(), [](const base::Digest&) { return false; });
    CHECK(fs::is_empty(writer.scratch_directory()));
    if (added) CHECK(*added == base::digest_of("bytes"));
    fs::remove_all(fixture.layout.root());
  }
}

TEST_CASE("a writer that was refused stays so") {
  WriterFixture fixture;
  cache::Writer writer(cache::real_disk(), fixture.clock, fixture.layout);
  writer.refuse("not yours");
  fixture.clock.advance(std::chrono::hours(1));
  CHECK(!writer.put(fixture.path, "x"));
  CHECK(writer.last_error() == "not yours");
  CHECK(!fs::exists(fixture.layout.root()));
}

TEST_CASE("a tree is removed with all that is in it") {
  WriterFixture fixture;
  fs::create_directories(fixture.dir.path() + "/t/a/b");
  REQUIRE(base::write_file_atomic(fixture.dir.path() + "/t/a/b/f", "x"));
  fs::create_symlink("/etc", fixture.dir.path() + "/keep");
  cache::remove_tree(cache::real_disk(), fixture.dir.path() + "/t");
  CHECK(!fs::exists(fixture.dir.path() + "/t"));
}
