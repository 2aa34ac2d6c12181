#include "inputs/tracker.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/thread.h"
#include "fake/fake_clock.h"
#include "fake/fake_files.h"
#include "fake/fake_watcher.h"
#include "inputs/content.h"
#include "inputs/walk.h"

namespace {

using inputs::kLook;
using inputs::kVersion;
using inputs::NodeId;
using Kind = inputs::Watcher::Kind;

// Does something after each lstat of one path, as another process may; counts them.
class RestlessFiles : public fake::FakeFiles {
 public:
  std::string busy;
  std::function<void()> after;
  std::atomic<int> looks{0};

  base::Result<base::FileStat> lstat(const std::string& path) override {
    base::Result<base::FileStat> stat = FakeFiles::lstat(path);
    if (path == busy) {
      ++looks;
      if (after) after();
    }
    return stat;
  }
};

struct TrackerWorld {
  explicit TrackerWorld(bool watch) {
    auto made = watch ? std::make_unique<fake::FakeWatcher>() : nullptr;
    watcher = made.get();
    tracker = std::make_unique<inputs::Tracker>(table, files, clock, std::move(made));
    contents = std::make_unique<inputs::Contents>(table, *tracker, files);
  }
  NodeId node(std::string_view path) {
    inputs::Trail trail;
    return inputs::walk(table, *tracker, inputs::NodeTable::kRoot, path, trail).node;
  }
  std::uint32_t version(NodeId id) { return tracker->look(id) & kVersion; }
  bool by_stat(NodeId id) { return (tracker->look(id) & kLook) != 0; }
  // A second write that has the size and the stamps of the first.
  void rewrite_unseen(const std::string& path, const std::string& text) {
    const base::FileStat stat = *files.lstat(path);
    files.write(path, text);
    files.set_times(path, stat.mtime_ns, stat.ctime_ns);
    REQUIRE(*files.lstat(path) == stat);
  }
  void age(NodeId id, const std::string& path, std::int64_t nanoseconds) {
    const std::int64_t then = clock.wall().count() - nanoseconds;
    files.set_times(path, then, then);
    tracker->refresh();
    tracker->mark(id, false);
    version(id);
  }

  RestlessFiles files;
  fake::FakeClock clock;
  inputs::NodeTable table;
  fake::FakeWatcher* watcher = nullptr;
  std::unique_ptr<inputs::Tracker> tracker;
  std::unique_ptr<inputs::Contents> contents;
};

}  // namespace

TEST_CASE("stamps are racy for two seconds, and in the future") {
  base::FileStat stat;
  stat.mtime_ns = 10'000'000'000;
  stat.ctime_ns = 11'000'000'000;
  CHECK(inputs::Tracker::racy(stat, 12'999'999'999));
  CHECK(!inputs::Tracker::racy(stat, 13'000'000'000));
  CHECK(inputs::Tracker::racy(stat, 0));
}

TEST_CASE("told by notices, a node is looked at once") {
  TrackerWorld world(true);
  world.files.write("/d/a.h", "1");
  world.files.busy = "/d/a.h";
  NodeId node = world.node("/d/a.h");
  const int first = world.files.looks;
  world.tracker->refresh();
  CHECK(!world.by_stat(node));
  CHECK(world.files.looks == first);
}

TEST_CASE("by stat, a node is looked at once a round, by however many threads") {
  TrackerWorld world(false);
  world.files.write("/d/a.h", "1");
  world.files.busy = "/d/a.h";
  NodeId node = world.node("/d/a.h");
  CHECK(world.files.looks == 1);
  world.tracker->refresh();
  {
    std::vector<base::Thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back("look", [&] { world.by_stat(node); });
  }
  CHECK(world.files.looks == 2);
  CHECK(world.by_stat(node));
}

TEST_CASE("a mark without a change leaves the version, a change gives it the epoch of the mark") {
  TrackerWorld world(true);
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  const std::uint32_t before = world.version(node);
  world.tracker->mark(node, false);
  CHECK(world.tracker->epoch() > before);
  CHECK(world.version(node) == before);
  world.files.write("/a.h", "22");
  CHECK(world.version(node) == before);
  world.tracker->mark(node, false);
  const std::uint64_t marked = world.tracker->epoch();
  world.tracker->mark(world.node("/other"), false);
  CHECK(world.version(node) == marked);
}

TEST_CASE("by stat, a change gives a version newer than every epoch before") {
  TrackerWorld world(false);
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  const std::uint64_t before = world.tracker->epoch();
  world.files.write("/a.h", "22");
  world.tracker->refresh();
  CHECK(world.version(node) > before);
}

TEST_CASE("by stat, a change after a look is not dated back to the notice that led to the look") {
  TrackerWorld world(true);
  world.watcher->reliable_devices = false;
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  world.watcher->lose();
  world.tracker->refresh();
  world.version(node);
  REQUIRE(world.by_stat(node));
  const std::uint64_t before = world.tracker->epoch();
  world.files.write("/a.h", "22");
  world.tracker->refresh();
  CHECK(world.version(node) > before);
}

TEST_CASE("a notice that comes during a look voids it") {
  TrackerWorld world(true);
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  world.files.busy = "/a.h";
  int notices = 1;
  world.files.after = [&] {
    if (notices-- > 0) {
      world.files.write("/a.h", "22");
      world.tracker->mark(node, false);
    }
  };
  world.tracker->mark(node, false);
  world.tracker->look(node);
  CHECK(world.files.looks == 2);
  CHECK(world.table.node(node).sight.stat.size == 2);
}

TEST_CASE("a look ends though notices keep coming, and is not trusted") {
  TrackerWorld world(true);
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  world.files.busy = "/a.h";
  world.files.after = [&] { world.tracker->mark(node, false); };
  world.tracker->mark(node, false);
  CHECK((world.tracker->look(node) & kLook) != 0);
  CHECK(world.files.looks < 100);
  world.files.after = nullptr;
  CHECK((world.tracker->look(node) & kLook) == 0);
}

TEST_CASE("by stat, a racy file is read again, and only then") {
  TrackerWorld world(false);
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  SUBCASE("racy") {
    world.age(node, "/a.h", 1'000'000'000);
    CHECK(world.contents->digest(node).ok());
    const std::uint32_t before = world.version(node);
    world.rewrite_unseen("/a.h", "2");
    world.tracker->refresh();
    CHECK(world.version(node) != before);
    CHECK(*world.contents->digest(node) == base::digest_of("2"));
  }
  SUBCASE("racy but the same") {
    world.age(node, "/a.h", 1'000'000'000);
    CHECK(world.contents->digest(node).ok());
    const std::uint32_t before = world.version(node);
    world.tracker->refresh();
    CHECK(world.version(node) == before);
    CHECK(world.files.reads().size() == 2);
    // Once it was read after the granularity has passed, the stamps prove enough.
    world.clock.advance(std::chrono::seconds(3));
    world.tracker->refresh();
    CHECK(world.version(node) == before);
    CHECK(world.files.reads().size() == 3);
    world.tracker->refresh();
    CHECK(world.version(node) == before);
    CHECK(world.files.reads().size() == 3);
  }
  SUBCASE("old") {
    world.age(node, "/a.h", 5'000'000'000);
    CHECK(world.contents->digest(node).ok());
    world.tracker->refresh();
    world.version(node);
    CHECK(world.files.reads().size() == 1);
  }
  SUBCASE("the clock set back") {
    world.age(node, "/a.h", 5'000'000'000);
    CHECK(world.contents->digest(node).ok());
    world.clock.set_wall(world.clock.wall() - std::chrono::seconds(60));
    world.rewrite_unseen("/a.h", "2");
    world.tracker->refresh();
    CHECK(*world.contents->digest(node) == base::digest_of("2"));
  }
}

TEST_CASE("a notice of a write is believed though no stamp tells") {
  TrackerWorld world(true);
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  world.age(node, "/a.h", 60'000'000'000);
  CHECK(world.contents->digest(node).ok());
  const std::uint32_t before = world.version(node);
  world.rewrite_unseen("/a.h", "2");
  world.watcher->tell(Kind::content, "/", "a.h");
  world.tracker->refresh();
  CHECK(world.version(node) != before);
  CHECK(*world.contents->digest(node) == base::digest_of("2"));
}

TEST_CASE("a link with another target has changed, whatever its stamps") {
  TrackerWorld world(true);
  world.files.link("/l", "a");
  world.node("/l");
  NodeId link = world.table.lookup(inputs::NodeTable::kRoot, "l");
  const std::uint32_t before = world.version(link);
  const base::FileStat stat = *world.files.lstat("/l");
  world.files.link("/l", "b");
  world.files.set_times("/l", stat.mtime_ns, stat.ctime_ns);
  REQUIRE(*world.files.lstat("/l") == stat);
  world.tracker->mark(link, false);
  CHECK(world.version(link) != before);
}

TEST_CASE("an entry that can no longer be seen has changed") {
  TrackerWorld world(true);
  world.files.write("/a.h", "1");
  NodeId node = world.node("/a.h");
  const std::uint32_t before = world.version(node);
  world.files.fail("/a.h", EACCES);
  world.tracker->mark(node, false);
  CHECK(world.version(node) != before);
  CHECK(world.table.node(node).shape.load().broken);
}

TEST_CASE("a directory that became another marks what is below") {
  TrackerWorld world(false);
  world.files.write("/d/e/a.h", "1");
  NodeId file = world.node("/d/e/a.h");
  NodeId missing = world.node("/d/e/b.h");
  const std::uint32_t before = world.version(file);
  world.files.remove("/d");
  world.tracker->refresh();
  CHECK(world.version(file) != before);
  CHECK(world.table.node(file).shape.load().type == base::FileType::absent);
  CHECK(world.table.node(missing).shape.load().type == base::FileType::absent);
}

TEST_CASE("a file found to be a directory now marks what was missing below it") {
  TrackerWorld world(true);
  world.files.write("/a.h", "1");
  NodeId file = world.node("/a.h");
  NodeId below = world.node("/a.h/b.h");
  CHECK(!world.by_stat(below));
  world.files.remove("/a.h");
  world.files.write("/a.h/b.h", "1");
  world.tracker->mark(file, false);
  world.tracker->look(file);
  world.tracker->look(below);
  CHECK(world.table.node(below).shape.load().type == base::FileType::regular);
}
