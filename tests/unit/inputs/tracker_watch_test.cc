#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "fake/fake_clock.h"
#include "fake/fake_files.h"
#include "fake/fake_watcher.h"
#include "inputs/tracker.h"
#include "inputs/walk.h"

namespace {

using inputs::kLook;
using inputs::NodeId;
using Kind = inputs::Watcher::Kind;

struct TrackerWatchWorld {
  TrackerWatchWorld() {
    auto made = std::make_unique<fake::FakeWatcher>();
    watcher = made.get();
    tracker = std::make_unique<inputs::Tracker>(table, files, clock, std::move(made));
    files.write("/d/e/a.h", "1");
  }
  NodeId node(std::string_view path) {
    inputs::Trail trail;
    return inputs::walk(table, *tracker, inputs::NodeTable::kRoot, path, trail).node;
  }
  bool trusted(NodeId id) { return (table.word(id) & kLook) == 0; }

  fake::FakeFiles files;
  fake::FakeClock clock;
  inputs::NodeTable table;
  fake::FakeWatcher* watcher = nullptr;
  std::unique_ptr<inputs::Tracker> tracker;
};

}  // namespace

TEST_CASE("every directory on the way and the file are watched") {
  TrackerWatchWorld world;
  NodeId file = world.node("/d/e/a.h");
  CHECK(world.trusted(file));
  for (const char* path : {"/", "/d", "/d/e", "/d/e/a.h"}) CHECK(world.watcher->watches(path));
  CHECK(world.tracker->totals().watches == 4);
}

TEST_CASE("what is missing is told by the directory it is missing from") {
  TrackerWatchWorld world;
  NodeId missing = world.node("/d/x/y.h");
  CHECK(world.table.path(missing) == "/d/x");
  CHECK(world.trusted(missing));
  CHECK(!world.watcher->watches("/d/x"));
  world.files.write("/d/x/y.h", "1");
  world.watcher->tell(Kind::entry, "/d", "x", true);
  world.tracker->refresh();
  CHECK(!world.trusted(missing));
  CHECK(world.table.path(world.node("/d/x/y.h")) == "/d/x/y.h");
}

TEST_CASE("a notice about a directory marks all below and drops the watches there") {
  TrackerWatchWorld world;
  NodeId file = world.node("/d/e/a.h");
  NodeId missing = world.node("/d/e/b.h");
  NodeId beside = world.node("/c.h");
  const std::uint32_t version = world.table.word(file);
  SUBCASE("moved") { world.watcher->tell(Kind::entry, "/", "d", true); }
  SUBCASE("attributes") { world.watcher->tell(Kind::attributes, "/", "d", true); }
  SUBCASE("gone itself") { world.watcher->tell(Kind::self, "/d"); }
  world.tracker->refresh();
  CHECK(!world.trusted(file));
  CHECK(!world.trusted(missing));
  CHECK(world.trusted(beside));
  CHECK(!world.watcher->watches("/d"));
  CHECK(!world.watcher->watches("/d/e"));
  CHECK(!world.watcher->watches("/d/e/a.h"));
  world.tracker->look(file);
  world.tracker->look(missing);
  CHECK(world.table.word(file) == version);  // it was the same after all
  CHECK(world.trusted(missing));
  CHECK(world.watcher->watches("/d/e"));
}

TEST_CASE("a notice about a file marks the file alone") {
  TrackerWatchWorld world;
  NodeId file = world.node("/d/e/a.h");
  NodeId missing = world.node("/d/e/b.h");
  SUBCASE("from its directory") { world.watcher->tell(Kind::content, "/d/e", "a.h"); }
  SUBCASE("from itself") { world.watcher->tell(Kind::attributes, "/d/e/a.h"); }
  world.tracker->refresh();
  CHECK(!world.trusted(file));
  CHECK(world.trusted(missing));
  CHECK(world.watcher->watches("/d/e"));
}

TEST_CASE("a notice about an unknown name marks nothing") {
  TrackerWatchWorld world;
  NodeId file = world.node("/d/e/a.h");
  const std::uint64_t epoch = world.tracker->epoch();
  world.watcher->tell(Kind::entry, "/d/e", "a.o");
  world.tracker->refresh();
  CHECK(world.trusted(file));
  CHECK(world.tracker->epoch() == epoch);
  CHECK(world.tracker->totals().events == 1);
}

TEST_CASE("lost notices take one epoch for however many nodes, newer than every one before") {
  TrackerWatchWorld world;
  NodeId changed = world.node("/d/e/a.h");
  NodeId kept = world.node("/d/e/b.h");
  const std::uint64_t before = world.tracker->epoch();
  const std::uint32_t version = world.tracker->look(kept);
  world.files.write("/d/e/a.h", "another");
  world.watcher->lose();
  world.tracker->refresh();
  CHECK(world.tracker->epoch() == before + 1);
  CHECK(world.tracker->look(changed) == before + 1);
  CHECK(world.tracker->look(kept) == version);
}

TEST_CASE("lost notices mark everything and start anew") {
  TrackerWatchWorld world;
  NodeId file = world.node("/d/e/a.h");
  world.watcher->lose();
  world.tracker->refresh();
  CHECK(world.watcher->restarts == 1);
  CHECK(world.tracker->totals().overflows == 1);
  CHECK(world.tracker->totals().watches == 0);
  CHECK(!world.trusted(file));
  world.tracker->look(file);
  CHECK(world.trusted(file));
  CHECK(world.watcher->watches("/d/e"));
}

TEST_CASE("where there is no watch, nodes are checked by stat") {
  TrackerWatchWorld world;
  SUBCASE("the file system does not tell") { world.watcher->reliable_devices = false; }
  SUBCASE("no watches left") { world.watcher->refuse = true; }
  NodeId file = world.node("/d/e/a.h");
  CHECK(!world.trusted(file));
  CHECK(world.tracker->totals().watches == 0);
  const std::uint64_t looks = world.tracker->totals().stats;
  world.tracker->look(file);
  CHECK(world.tracker->totals().stats == looks);
  world.tracker->refresh();
  world.tracker->look(file);
  CHECK(world.tracker->totals().stats > looks);
}

TEST_CASE("when watches grow scarce, directories are still watched and files are checked by stat") {
  TrackerWatchWorld world;
  world.watcher->files = 3;
  NodeId file = world.node("/d/e/a.h");
  NodeId missing = world.node("/d/e/b.h");
  CHECK(!world.trusted(file));
  CHECK(world.trusted(missing));
  CHECK(world.tracker->totals().refused == 1);
}

TEST_CASE("what is written to a device is no change") {
  TrackerWatchWorld world;
  NodeId file = world.node("/d/e/a.h");
  world.table.node(file).shape = inputs::Shape{base::FileType::other, false};
  world.watcher->tell(Kind::content, "/d/e", "a.h");
  world.tracker->refresh();
  CHECK(world.trusted(file));
}

TEST_CASE("a replaced file is watched anew") {
  TrackerWatchWorld world;
  NodeId file = world.node("/d/e/a.h");
  world.files.write("/d/e/a.h", "2");
  world.watcher->tell(Kind::entry, "/d/e", "a.h");
  world.tracker->refresh();
  CHECK(!world.watcher->watches("/d/e/a.h"));
  world.tracker->look(file);
  CHECK(world.watcher->watches("/d/e/a.h"));
  CHECK(world.trusted(file));
}
