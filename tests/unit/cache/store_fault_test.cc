// The store on disks that fill up, forget, refuse and belong to others, and beside writers that are killed.
// Whatever happens: a look-up is the outcome that was kept or a miss, a read is the blob's own bytes or an
// error, and the store works again once the world does.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.h"
#include "base/log.h"
#include "cache/store.h"
#include "fake/fake_clock.h"
#include "fake/faulty_disk.h"
#include "fake/temp_dir.h"

namespace fs = std::filesystem;
using fake::FaultyDisk;

namespace {

constexpr int kObjects = 4;
constexpr unsigned kNobody = 65534;

base::Digest key(int i) { return base::digest_of("action " + std::to_string(i)); }
std::string object(int i) { return std::string(9000, static_cast<char>('a' + i)); }

cache::StoreOptions options(const std::string& directory, cache::Disk* disk = nullptr) {
  cache::StoreOptions options;
  options.directory = directory;
  options.limit_bytes = 1 << 30;
  options.background = false;
  options.disk = disk;
  return options;
}

// Adds objects and outcomes by both ways, looks them up, lets a day pass, tidies up. Errors are expected.
void use_everything(cache::Store& store, fake::FakeClock& clock, const std::string& scratch_file) {
  for (int i = 0; i < kObjects; ++i) {
    base::Result<base::Digest> added = base::Digest{};
    if (i % 2 == 0) {
      added = store.add(object(i));
    } else {
      REQUIRE(base::write_file_atomic(scratch_file, object(i)));
      added = store.add(base::open_file(scratch_file, O_RDONLY)->get());
    }
    if (!added) continue;
    cache::Outcome outcome;
    outcome.err = "outcome " + std::to_string(i);
    outcome.files = {{"x.o", *added, false}};
    (void)store.keep(key(i), outcome).ok();
    (void)store.lookup(key(i));
  }
  clock.advance(std::chrono::hours(25));
  store.maintain();
  (void)store.lookup(key(0));
}

// True when the object is there. Anything but the truth or a miss fails the test.
bool truth_or_miss(cache::Store& store, int i) {
  std::optional<cache::Outcome> found = store.lookup(key(i));
  if (!found) return false;
  CHECK(found->err == "outcome " + std::to_string(i));
  REQUIRE(found->files.size() == 1);
  CHECK(found->files[0].digest == base::digest_of(object(i)));
  base::Result<std::string> bytes = store.read(found->files[0].digest);
  if (bytes) CHECK((*bytes == object(i)));
  return bytes.ok();
}

void check_healed(const std::string& directory, const std::string& scratch_file) {
  fake::FakeClock clock;
  clock.set_wall(std::chrono::system_clock::now().time_since_epoch());
  cache::Store store(options(directory), clock);
  for (int i = 0; i < kObjects; ++i) (void)truth_or_miss(store, i);
  use_everything(store, clock, scratch_file);
  for (int i = 0; i < kObjects; ++i) CHECK(truth_or_miss(store, i));
  CHECK(store.stats().last_error == "");
}

// The effective user is another one while this lives. Only root may do so.
class AsNobody {
 public:
  AsNobody() : changed_(::geteuid() == 0 && ::setegid(kNobody) == 0 && ::seteuid(kNobody) == 0) {}
  ~AsNobody() {
    if (changed_) CHECK((::seteuid(0) == 0 && ::setegid(0) == 0));
  }
  bool unprivileged() const { return ::geteuid() != 0; }

 private:
  bool changed_;
};

// A directory that anybody may use, as /tmp is.
struct Shared {
  fake::TempDir dir;
  Shared() {
    base::set_log_level(base::LogLevel::error);
    fs::permissions(dir.path(), fs::perms::all);
  }
};

}  // namespace

TEST_CASE("whichever call fails or is forgotten, nothing false is ever served and the store heals") {
  base::set_log_level(base::LogLevel::error);
  for (FaultyDisk::Fault fault :
       {FaultyDisk::Fault::fails, FaultyDisk::Fault::keeps_failing, FaultyDisk::Fault::forgets}) {
    unsigned last = 1000;
    for (unsigned at = 1; at <= last; ++at) {
      fake::TempDir dir(fake::TempDir::in_memory());
      fake::FakeClock clock;
      clock.set_wall(std::chrono::system_clock::now().time_since_epoch());
      FaultyDisk disk(fault, at, at * 31 + 7);
      CAPTURE(static_cast<int>(fault));
      CAPTURE(at);
      {
        cache::Store store(options(dir.path() + "/c", &disk), clock);
        use_everything(store, clock, dir.path() + "/o");
        for (int i = 0; i < kObjects; ++i) (void)truth_or_miss(store, i);
      }
      if (disk.calls() < at) last = 0;  // the fault was beyond the end: all calls were tried
      check_healed(dir.path() + "/c", dir.path() + "/o");
    }
    CHECK(last == 0);
  }
}

TEST_CASE("a full disk means no caching, said in words, and ends with it") {
  if (::geteuid() != 0) return;
  fake::TempDir dir;
  std::string point = dir.path() + "/small";
  fs::create_directories(point);
  if (::mount("tmpfs", point.c_str(), "tmpfs", 0, "size=64k") != 0) {
    MESSAGE("no right to mount: covered by the faulty disk alone");
    return;
  }
  {
    fake::FakeClock clock;
    cache::Store store(options(point + "/c"), clock);
    base::Result<base::Digest> small = store.add("small");
    REQUIRE(small);
    cache::Outcome outcome;
    outcome.files = {{"x.o", *small, false}};
    REQUIRE(store.keep(key(0), outcome));
    CHECK(!store.add(std::string(200'000, 'x')));
    CHECK(store.stats().last_error.find("No space left") != std::string::npos);
    CHECK(store.stats().write_errors == 1);
    CHECK(store.lookup(key(0)));
    CHECK(!store.add("other"));
    CHECK(store.stats().write_errors == 1);
    clock.advance(std::chrono::seconds(30));
    CHECK(store.add("other"));
    CHECK(store.stats().last_error == "");
    // Nothing of the failed one is left behind.
    CHECK(fs::is_empty(store.scratch_directory()));
  }
  CHECK(::umount(point.c_str()) == 0);
}

TEST_CASE("a read-only file system serves hits and keeps nothing") {
  if (::geteuid() != 0) return;
  fake::TempDir dir;
  std::string point = dir.path() + "/ro";
  fs::create_directories(point);
  if (::mount("tmpfs", point.c_str(), "tmpfs", 0, "size=4m") != 0) return;
  fake::FakeClock clock;
  {
    cache::Store store(options(point + "/c"), clock);
    use_everything(store, clock, dir.path() + "/o");
  }
  REQUIRE(::mount("tmpfs", point.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "") == 0);
  {
    cache::Store store(options(point + "/c"), clock);
    for (int i = 0; i < kObjects; ++i) CHECK(truth_or_miss(store, i));
    CHECK(!store.add("new"));
    CHECK(store.stats().last_error.find("Read-only") != std::string::npos);
    CHECK(store.stats().damaged == 0);
    store.maintain();
    CHECK(store.stats().outcomes == kObjects);
  }
  CHECK(::umount(point.c_str()) == 0);
}

TEST_CASE("a folder that may not be written is no cache, until it may") {
  Shared shared;
  std::string parent = shared.dir.path() + "/parent";
  fs::create_directories(parent);
  fs::permissions(parent, fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                              fs::perms::others_exec);
  fake::FakeClock clock;
  {
    AsNobody nobody;
    if (!nobody.unprivileged()) return;
    cache::Store store(options(parent + "/c"), clock);
    CHECK(!store.lookup(key(0)));
    base::Result<base::Digest> added = store.add("x");
    REQUIRE(!added);
    CHECK(added.error().kind == base::ErrorKind::io);
    CHECK(store.stats().last_error.find("Permission denied") != std::string::npos);
  }
  fs::permissions(parent, fs::perms::all);
  AsNobody nobody;
  cache::Store store(options(parent + "/c"), clock);
  CHECK(store.add("x"));
}

TEST_CASE("another user's folder is not used, and the reason is told") {
  if (::geteuid() != 0) return;
  Shared shared;
  fake::FakeClock clock;
  {
    AsNobody nobody;
    cache::Store store(options(shared.dir.path() + "/c"), clock);
    REQUIRE(store.add("x"));
  }
  cache::Store store(options(shared.dir.path() + "/c"), clock);
  CHECK(store.stats().last_error.find("belongs to another user") != std::string::npos);
  CHECK(!store.read(base::digest_of("x")));
  CHECK(!store.add("y"));
  CHECK(!store.keep(key(0), {}));
  CHECK(!store.clear());
  CHECK(store.scratch_directory().empty());
  store.maintain();
}

TEST_CASE("a folder that others could write is closed to them") {
  fake::TempDir dir;
  fake::FakeClock clock;
  { cache::Store store(options(dir.path() + "/c"), clock); }
  fs::permissions(dir.path() + "/c/v1", fs::perms::all);
  cache::Store store(options(dir.path() + "/c"), clock);
  CHECK(fs::status(dir.path() + "/c/v1").permissions() == fs::perms::owner_all);
}

TEST_CASE("a writer killed at any moment leaves a usable store") {
  base::set_log_level(base::LogLevel::error);
  for (int round = 0; round < 12; ++round) {
    fake::TempDir dir(fake::TempDir::in_memory());
    int progress[2];
    REQUIRE(::pipe(progress) == 0);
    pid_t writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      fake::FakeClock clock;
      cache::Store store(options(dir.path() + "/c"), clock);
      for (int i = 0;; ++i) {
        use_everything(store, clock, dir.path() + "/o");
        (void)store.clear().ok();
        (void)!::write(progress[1], "x", 1);
      }
    }
    ::close(progress[1]);
    // Somewhere in the work: after some rounds of it, wherever the writer then is.
    char byte;
    for (int i = 0; i < round; ++i) REQUIRE(::read(progress[0], &byte, 1) == 1);
    ::kill(writer, SIGKILL);
    int status;
    REQUIRE(::waitpid(writer, &status, 0) == writer);
    ::close(progress[0]);
    check_healed(dir.path() + "/c", dir.path() + "/o");
    // What it was writing was swept up with its scratch directory.
    std::size_t scratch = 0;
    for (const auto& entry : fs::directory_iterator(dir.path() + "/c/v1/scratch")) {
      scratch += entry.is_directory() ? 1 : 0;
    }
    CHECK(scratch == 0);
  }
}
