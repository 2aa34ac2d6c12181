#include "cache/store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/fd.h"
#include "base/log.h"
#include "fake/fake_clock.h"
#include "fake/temp_dir.h"

namespace fs = std::filesystem;

namespace {

// A store in a folder of its own whose housekeeping happens only when asked for.
struct StoreFixture {
  fake::TempDir dir;
  fake::FakeClock clock;

  // Files are stamped by the system, so the clock starts at its time.
  StoreFixture() {
    clock.set_wall(std::chrono::system_clock::now().time_since_epoch());
    base::set_log_level(base::LogLevel::error);
  }

  cache::StoreOptions options(std::int64_t limit = 1 << 30) const {
    cache::StoreOptions options;
    options.directory = dir.path() + "/store";
    options.limit_bytes = limit;
    options.background = false;
    return options;
  }
  // Directories before the last, files of the tree.
  std::vector<std::string> files(const std::string& below) const {
    std::vector<std::string> found;
    std::string root = dir.path() + "/store/v1/" + below;
    if (!fs::exists(root)) return found;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) found.push_back(entry.path().string());
    }
    return found;
  }
};

base::Digest key(const std::string& name) { return base::digest_of("action " + name); }

cache::Outcome outcome_of(const base::Digest& object, const std::string& err = "a warning\n") {
  cache::Outcome outcome;
  outcome.err = err;
  outcome.files = {{"out/x.o", object, false}};
  outcome.compile_us = 1'234'567;
  return outcome;
}

// Adds an object with these bytes and an outcome that names it.
void keep(cache::Store& store, const std::string& name, const std::string& bytes) {
  base::Result<base::Digest> object = store.add(bytes);
  REQUIRE(object);
  REQUIRE(store.keep(key(name), outcome_of(*object)));
}

std::string text_of(const std::string& path) { return *base::read_file(path); }

void overwrite(const std::string& path, const std::string& bytes) {
  fs::permissions(path, fs::perms::owner_all);
  base::Result<base::Fd> fd = base::open_file(path, O_WRONLY | O_TRUNC);
  REQUIRE(fd);
  REQUIRE(base::write_all(fd->get(), bytes));
}

}  // namespace

TEST_CASE("an outcome and its blobs come back as they were kept") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  std::string object(300'000, 'o');
  base::Result<base::Digest> digest = store.add(object);
  REQUIRE(digest);
  CHECK(*digest == base::digest_of(object));
  cache::Outcome kept = outcome_of(*digest);
  kept.out = "hello\n";
  kept.exit_code = 0;
  kept.files.push_back({"../gen/x.d", *store.add("x.o: x.c\n"), true});
  CHECK(!store.lookup(key("a")));
  REQUIRE(store.keep(key("a"), kept));

  std::optional<cache::Outcome> found = store.lookup(key("a"));
  REQUIRE(found);
  CHECK(found->out == "hello\n");
  CHECK(found->err == "a warning\n");
  CHECK(found->compile_us == 1'234'567);
  REQUIRE(found->files.size() == 2);
  CHECK(found->files[0].path == "../gen/x.d");
  CHECK(found->files[0].executable);
  CHECK(found->files[1].path == "out/x.o");
  CHECK(found->files[1].digest == *digest);
  CHECK(*store.read(*digest) == object);
  CHECK(*store.read(found->files[0].digest) == "x.o: x.c\n");

  cache::StoreStats stats = store.stats();
  CHECK(stats.hits == 1);
  CHECK(stats.misses == 1);
  CHECK(stats.outcomes == 1);
  CHECK(stats.blobs == 2);
  CHECK(stats.damaged == 0);
  CHECK(stats.last_error == "");
}

TEST_CASE("an open file is kept from its start, and what is kept is what was hashed") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  std::string bytes;
  for (int i = 0; i < 400'000; ++i) bytes += static_cast<char>(i * 31 >> 3);
  std::string path = fixture.dir.path() + "/object";
  REQUIRE(base::write_file_atomic(path, bytes));
  base::Result<base::Fd> fd = base::open_file(path, O_RDONLY);
  REQUIRE(fd);
  ::lseek(fd->get(), 1000, SEEK_SET);
  base::Result<base::Digest> digest = store.add(fd->get());
  REQUIRE(digest);
  CHECK(*digest == base::digest_of(bytes));
  // The next build step strips the object in place.
  overwrite(path, "stripped");
  CHECK(*store.read(*digest) == bytes);
  // The same content again takes no more room.
  std::int64_t before = store.stats().bytes;
  CHECK(*store.add(std::string_view(bytes)) == *digest);
  CHECK(store.stats().bytes == before);
  CHECK(fixture.files("cas").size() == 1);
  CHECK(fixture.files("scratch").size() == 1);  // the lock, no temporaries
}

TEST_CASE("an empty file is content like any other") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "empty", "");
  REQUIRE(store.lookup(key("empty")));
  CHECK(*store.read(base::digest_of("")) == "");
}

TEST_CASE("long messages are blobs of their own and come back whole") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  cache::Outcome outcome;
  outcome.out = std::string(70'000, 'x');
  outcome.err = std::string(80'000, 'y');
  REQUIRE(store.keep(key("long"), outcome));
  CHECK(fixture.files("cas").size() == 2);
  CHECK(fs::file_size(fixture.files("ac").at(0)) < 1000);
  std::optional<cache::Outcome> found = store.lookup(key("long"));
  REQUIRE(found);
  CHECK(found->out == outcome.out);
  CHECK(found->err == outcome.err);
  fs::remove(fixture.files("cas").at(0));
  CHECK(!store.lookup(key("long")));
}

TEST_CASE("another store on the same folder finds what was kept, at once") {
  StoreFixture fixture;
  {
    cache::Store store(fixture.options(), fixture.clock);
    keep(store, "a", "object a");
  }
  cache::Store other(fixture.options(), fixture.clock);
  CHECK(other.lookup(key("a")));
  other.maintain();
  CHECK(other.stats().outcomes == 1);
  CHECK(other.stats().blobs == 1);
  CHECK(other.stats().bytes == 2 * 4096);
}

TEST_CASE("the folder can be moved") {
  StoreFixture fixture;
  {
    cache::Store store(fixture.options(), fixture.clock);
    keep(store, "a", "object a");
  }
  fs::rename(fixture.dir.path() + "/store", fixture.dir.path() + "/moved");
  cache::StoreOptions options = fixture.options();
  options.directory = fixture.dir.path() + "/moved";
  cache::Store store(options, fixture.clock);
  CHECK(store.lookup(key("a")));
  CHECK(*store.read(base::digest_of("object a")) == "object a");
}

TEST_CASE("an outcome whose blob is gone is a miss and is removed") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  fs::remove(fixture.files("cas").at(0));
  CHECK(!store.lookup(key("a")));
  CHECK(fixture.files("ac").empty());
  CHECK(store.read(base::digest_of("object a")).error().kind == base::ErrorKind::transient);
  keep(store, "a", "object a");
  CHECK(store.lookup(key("a")));
}

TEST_CASE("a byte flipped anywhere in an outcome is a miss, and the entry is removed and counted") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  std::string path = fixture.files("ac").at(0);
  std::string whole = text_of(path);
  std::uint64_t damaged = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    std::string bad = whole;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    if (fs::exists(path))
      overwrite(path, bad);
    else
      REQUIRE(base::write_file_atomic(path, bad));
    CHECK(!store.lookup(key("a")));
    CHECK(!fs::exists(path));
    CHECK(store.stats().damaged == ++damaged);
  }
  REQUIRE(base::write_file_atomic(path, whole));
  CHECK(store.lookup(key("a")));
}

TEST_CASE("a byte flipped anywhere in a blob, raw or compressed, is never served") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  std::string small = "object a";
  std::string large(9000, 'z');
  base::Digest digest = base::digest_of("");
  std::string bytes;
  SUBCASE("raw") { bytes = small; }
  SUBCASE("compressed") { bytes = large; }
  digest = *store.add(bytes);
  fixture.clock.advance(std::chrono::hours(25));
  store.maintain();
  std::string path = fixture.files("cas").at(0);
  std::string whole = text_of(path);
  CHECK(whole.size() < 300);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit : {0, 5}) {
      CAPTURE(i);
      std::string bad = whole;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      if (fs::exists(path))
        overwrite(path, bad);
      else
        REQUIRE(base::write_file_atomic(path, bad));
      base::Result<std::string> read = store.read(digest);
      // A bit of a frame that has no meaning may flip unnoticed; the content may not.
      if (read)
        CHECK(*read == bytes);
      else
        CHECK(!fs::exists(path));
    }
  }
  CHECK(store.stats().damaged > whole.size());
}

TEST_CASE("an entry cut at any length is a miss") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  std::string blob_path = fixture.files("cas").at(0);
  std::string outcome_path = fixture.files("ac").at(0);
  std::string blob = text_of(blob_path);
  std::string outcome = text_of(outcome_path);
  for (std::size_t size = 0; size < outcome.size(); ++size) {
    CAPTURE(size);
    REQUIRE(base::write_file_atomic(outcome_path, outcome.substr(0, size)));
    CHECK(!store.lookup(key("a")));
  }
  for (std::size_t size = 0; size < blob.size(); ++size) {
    CAPTURE(size);
    REQUIRE(base::write_file_atomic(blob_path, blob.substr(0, size)));
    CHECK(!store.read(base::digest_of("object a")));
    CHECK(!fs::exists(blob_path));
  }
}

TEST_CASE("an entry under another entry's name is a miss") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  std::string path = fixture.files("ac").at(0);
  std::string bytes = text_of(path);
  keep(store, "b", "object b");
  for (const std::string& other : fixture.files("ac")) {
    if (other != path) overwrite(other, bytes);
  }
  CHECK(store.lookup(key("a")));
  CHECK(!store.lookup(key("b")));
  CHECK(store.stats().damaged == 1);
}

TEST_CASE("the right hash with a wrong size is not here, and does no harm") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  base::Digest digest = *store.add("object a");
  base::Digest wrong = digest;
  wrong.size += 1;
  CHECK(!store.read(wrong));
  CHECK(store.read(digest));
  CHECK(store.stats().damaged == 0);
}

TEST_CASE("over the limit, the least recently used entries go, down to nine tenths") {
  StoreFixture fixture;
  // 20 objects of 8 KiB (with trailer 3 blocks) and 20 outcomes of a block: 20 * 16 KiB.
  cache::Store store(fixture.options(16 * 4 * 4096), fixture.clock);
  for (int i = 0; i < 20; ++i) {
    keep(store, std::to_string(i), std::string(8192, static_cast<char>('a' + i)));
    fixture.clock.advance(std::chrono::minutes(1));
  }
  CHECK(store.lookup(key("0")));  // used just now
  store.maintain();
  cache::StoreStats stats = store.stats();
  CHECK(stats.bytes <= 16 * 4 * 4096 * 9 / 10);
  CHECK(stats.bytes > 16 * 4 * 4096 * 8 / 10);
  CHECK(stats.evicted > 0);
  CHECK(store.lookup(key("0")));
  CHECK(!store.lookup(key("1")));
  CHECK(store.lookup(key("19")));
}

TEST_CASE("a blob that several outcomes share stays as long as one of them is used") {
  StoreFixture fixture;
  cache::Store store(fixture.options(8 * 4096), fixture.clock);
  keep(store, "old", "shared");
  fixture.clock.advance(std::chrono::hours(2));
  keep(store, "new", "shared");
  for (int i = 0; i < 4; ++i) {
    fixture.clock.advance(std::chrono::minutes(1));
    keep(store, "filler" + std::to_string(i), "filler " + std::to_string(i));
    CHECK(store.lookup(key("new")));
  }
  store.maintain();
  CHECK(!store.lookup(key("old")));
  CHECK(store.lookup(key("new")));
}

TEST_CASE("a use is written to disk at most once an hour, and a later daemon evicts by it") {
  StoreFixture fixture;
  std::string path;
  {
    cache::Store store(fixture.options(), fixture.clock);
    keep(store, "a", "object a");
    keep(store, "b", "object b");
    path = fixture.files("ac").at(0);
    auto first = fs::last_write_time(path);
    fixture.clock.advance(std::chrono::minutes(30));
    CHECK(store.lookup(key("a")));
    CHECK(store.lookup(key("b")));
    CHECK(fs::last_write_time(path) == first);
    fixture.clock.advance(std::chrono::minutes(31));
    CHECK(store.lookup(key("a")));
    for (const std::string& file : fixture.files("ac")) {
      if (fs::last_write_time(file) > first + std::chrono::minutes(59)) path = file;
    }
    CHECK(fs::last_write_time(path) > first + std::chrono::minutes(59));
  }
  cache::Store later(fixture.options(3 * 4096), fixture.clock);
  later.maintain();
  CHECK(later.lookup(key("a")));
  CHECK(!later.lookup(key("b")));
}

TEST_CASE("an entry stamped in the future does not stay for ever") {
  StoreFixture fixture;
  {
    cache::Store store(fixture.options(), fixture.clock);
    keep(store, "a", "object a");
    for (const char* below : {"ac", "cas"}) {
      fs::last_write_time(fixture.files(below).at(0),
                          fs::file_time_type::clock::now() + std::chrono::hours(90000));
    }
  }
  cache::Store store(fixture.options(3 * 4096), fixture.clock);
  store.maintain();
  fixture.clock.advance(std::chrono::hours(1));
  keep(store, "b", "object b");
  store.maintain();
  CHECK(!store.lookup(key("a")));
  CHECK(store.lookup(key("b")));
}

TEST_CASE("large blobs that were not used for a day are compressed, and read as before") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  std::string large(200'000, 'x');
  std::string noise;
  for (unsigned i = 0, x = 1; i < 100'000; ++i)
    noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  keep(store, "large", large);
  keep(store, "noise", noise);
  std::string small = "small";
  keep(store, "small", small);
  store.maintain();
  std::int64_t raw = store.stats().bytes;
  auto stamp = fs::last_write_time(fixture.files("cas").at(0));
  fixture.clock.advance(std::chrono::hours(25));
  store.maintain();
  CHECK(store.stats().bytes < raw - 190'000);
  CHECK(store.stats().bytes > 100'000);
  CHECK(fs::last_write_time(fixture.files("cas").at(0)) == stamp);
  CHECK(*store.read(base::digest_of(large)) == large);
  CHECK(*store.read(base::digest_of(noise)) == noise);
  CHECK(*store.read(base::digest_of(small)) == small);
  CHECK(store.lookup(key("large")));
  CHECK(store.stats().damaged == 0);
  std::int64_t counted = store.stats().bytes;
  store.maintain();
  CHECK(store.stats().bytes == counted);
}

TEST_CASE("a folder that was removed is made again") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  fs::remove_all(fixture.dir.path() + "/store");
  CHECK(!store.lookup(key("a")));
  keep(store, "a", "object a");
  CHECK(store.lookup(key("a")));
  fs::remove_all(fixture.dir.path() + "/store");
  CHECK(fs::is_directory(store.scratch_directory()));
  base::Result<base::Fd> fd = base::open_file("/proc/self/exe", O_RDONLY);
  CHECK(store.add(fd->get()));
  CHECK(store.stats().write_errors == 0);
}

TEST_CASE("clear removes everything and the store goes on") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  REQUIRE(store.clear());
  CHECK(fixture.files("ac").empty());
  CHECK(fixture.files("cas").empty());
  CHECK(store.stats().bytes == 0);
  CHECK(!store.lookup(key("a")));
  keep(store, "b", "object b");
  CHECK(store.lookup(key("b")));
}

TEST_CASE("a folder of another format is left alone") {
  StoreFixture fixture;
  std::string foreign = fixture.dir.path() + "/store/v1";
  fs::create_directories(foreign);
  REQUIRE(base::write_file_atomic(foreign + "/format", "goma cache 2\n"));
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  CHECK(store.lookup(key("a")));
  CHECK(text_of(foreign + "/format") == "goma cache 2\n");
  CHECK(std::distance(fs::directory_iterator(foreign), fs::directory_iterator()) == 1);
  cache::Store again(fixture.options(), fixture.clock);
  CHECK(again.lookup(key("a")));
}

TEST_CASE("a format file torn by a crash does not lose the folder") {
  StoreFixture fixture;
  {
    cache::Store store(fixture.options(), fixture.clock);
    keep(store, "a", "object a");
  }
  std::string format = fixture.dir.path() + "/store/v1/format";
  for (const std::string& torn : {std::string(), std::string("goma c"), std::string(13, '\0')}) {
    overwrite(format, torn);
    cache::Store store(fixture.options(), fixture.clock);
    CHECK(store.lookup(key("a")));
    CHECK(text_of(format) == "goma cache 1\n");
  }
}

TEST_CASE("entries are read-only files in directories of the user's own") {
  StoreFixture fixture;
  cache::Store store(fixture.options(), fixture.clock);
  keep(store, "a", "object a");
  struct stat status;
  for (const char* below : {"ac", "cas"}) {
    REQUIRE(::stat(fixture.files(below).at(0).c_str(), &status) == 0);
    CHECK((status.st_mode & 0333) == 0);
  }
  REQUIRE(::stat((fixture.dir.path() + "/store/v1").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  REQUIRE(::stat((fixture.dir.path() + "/store/v1/cas").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
}

TEST_CASE("the default limit is 10 GiB or a tenth of the disk") {
  StoreFixture fixture;
  cache::Store store(fixture.options(0), fixture.clock);
  fs::space_info space = fs::space(fixture.dir.path());
  std::int64_t tenth = static_cast<std::int64_t>(space.capacity / 10);
  CHECK(store.stats().limit_bytes <= std::int64_t{10} << 30);
  CHECK(store.stats().limit_bytes <= tenth + 4096);
  CHECK(store.stats().limit_bytes >= std::min(tenth - 4096, std::int64_t{10} << 30));
}

TEST_CASE("scratch directories of daemons that are gone are emptied, those of living ones are not") {
  StoreFixture fixture;
  cache::Store living(fixture.options(), fixture.clock);
  REQUIRE(base::write_file_atomic(living.scratch_directory() + "/copy.o", "busy"));
  std::string stale = fixture.dir.path() + "/store/v1/scratch/1-1-1";
  fs::create_directories(stale + "/deep");
  REQUIRE(base::write_file_atomic(stale + "/deep/copy.o", "stale"));
  REQUIRE(base::write_file_atomic(stale + ".lock", ""));
  cache::Store next(fixture.options(), fixture.clock);
  CHECK(!fs::exists(stale));
  CHECK(!fs::exists(stale + ".lock"));
  CHECK(fs::exists(living.scratch_directory() + "/copy.o"));
  CHECK(living.scratch_directory() != next.scratch_directory());
}

TEST_CASE("the background thread counts what is there and evicts without being asked") {
  StoreFixture fixture;
  {
    cache::Store store(fixture.options(), fixture.clock);
    for (int i = 0; i < 30; ++i) keep(store, std::to_string(i), "object " + std::to_string(i));
  }
  cache::StoreOptions options = fixture.options(40 * 4096);
  options.background = true;
  cache::Store store(options, base::real_clock());
  // Nothing tells when it is done, so it is looked at now and then; half a minute is far more than it needs.
  for (int i = 0; i < 3000 && (store.stats().evicted == 0 || store.stats().bytes > 36 * 4096); ++i) {
    ::poll(nullptr, 0, 10);
  }
  CHECK(store.stats().bytes <= 36 * 4096);
  CHECK(store.stats().evicted >= 24);
}

TEST_CASE("many threads add, keep, look up and read at once while entries are evicted and compressed") {
  StoreFixture fixture;
  cache::StoreOptions options = fixture.options(60 * 4096);
  options.background = true;
  cache::Store store(options, base::real_clock());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        std::string name = std::to_string((i * 7 + t) % 40);
        std::string bytes = "object " + name;
        base::Result<base::Digest> object = store.add(bytes);
        if (object) (void)store.keep(key(name), outcome_of(*object)).ok();
        std::optional<cache::Outcome> found = store.lookup(key(name));
        if (!found) continue;
        base::Result<std::string> read = store.read(found->files.at(0).digest);
        if (read && *read != bytes) ++wrong;
        if (i % 50 == 0) store.maintain();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(store.stats().damaged == 0);
  CHECK(store.stats().write_errors == 0);
}
