// On real directories, each behaviour in both modes: told by the kernel, and checked by stat.
#include "inputs/file_index.h"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include "base/clock.h"
#include "fake/fake_clock.h"
#include "fake/fake_files.h"
#include "fake/fake_watcher.h"
#include "fake/file_tree.h"
#include "inputs/node_table.h"
#include "inputs/watcher.h"

namespace {

using base::FileType;

// An index over a tree. The snapshot is of all that was found since the last `remember`.
class FileIndexWorld {
 public:
  explicit FileIndexWorld(bool watch) : index(base::real_files(), base::real_clock(), watch) {}

  inputs::Found find(const std::string& name) {
    return index.find(name.starts_with('/') ? name : tree.at(name), trail);
  }
  std::string place(const std::string& name) {
    inputs::Found found = find(name);
    std::string path = index.path(found.node);
    REQUIRE(path.starts_with(tree.root()));
    return path.substr(std::min(path.size(), tree.root().size() + 1));
  }
  std::string content(const std::string& name) {
    inputs::Found found = find(name);
    if (found.type != FileType::regular) return "(none)";
    base::Result<base::Digest> digest = index.digest(found.node);
    if (!digest.ok()) return digest.error().message;
    for (const char* text : {"1", "2", "one", "two"}) {
      if (*digest == base::digest_of(text)) return text;
    }
    return "(other)";
  }
  void remember() { snapshot = index.snapshot(trail); }
  // As a request does: refresh, then ask.
  bool valid() {
    index.refresh();
    return index.valid(snapshot);
  }

  fake::FileTree tree;
  inputs::FileIndex index;
  inputs::Trail trail;
  inputs::Snapshot snapshot;
};

// What a test case is run with.
using ByWatch = std::true_type;
using ByStat = std::false_type;

}  // namespace

TEST_CASE_TEMPLATE("a file that appears, changes and goes is noticed", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  CHECK(world.content("a.h") == "(none)");
  world.remember();
  CHECK(world.valid());

  world.tree.write("a.h", "1");
  CHECK(!world.valid());
  CHECK(world.content("a.h") == "1");
  world.remember();
  CHECK(world.valid());
  CHECK(world.valid());

  world.tree.write("a.h", "2");
  CHECK(!world.valid());
  CHECK(world.content("a.h") == "2");
  world.remember();

  world.tree.remove("a.h");
  CHECK(!world.valid());
  CHECK(world.find("a.h").type == FileType::absent);
}

TEST_CASE("a version is there where changes are told, and grows with each") {
  FileIndexWorld told(true);
  told.tree.write("a.h", "1");
  const inputs::NodeId node = told.find("a.h").node;
  const auto first = told.index.version(node);
  REQUIRE(first);
  told.index.refresh();
  CHECK(told.index.version(node) == first);
  told.tree.write("a.h", "2");
  told.index.refresh();
  CHECK_FALSE(told.index.version(node));
  CHECK(told.content("a.h") == "2");
  REQUIRE(told.index.version(node));
  CHECK(*told.index.version(node) > *first);

  FileIndexWorld by_stat(false);
  by_stat.tree.write("a.h", "1");
  CHECK_FALSE(by_stat.index.version(by_stat.find("a.h").node));
}

TEST_CASE_TEMPLATE("a file renamed over another is noticed though size and mtime are equal", Watch, ByWatch,
                   ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.write("a.h", "1");
  world.tree.write("b.h", "2");
  world.tree.touch("a.h", 1'000'000);
  world.tree.touch("b.h", 1'000'000);
  CHECK(world.content("a.h") == "1");
  world.remember();
  world.tree.rename("b.h", "a.h");
  CHECK(!world.valid());
  CHECK(world.content("a.h") == "2");
}

TEST_CASE_TEMPLATE("a rewrite in place with equal size and mtime is noticed", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.write("a.h", "1");
  world.tree.touch("a.h", 1'000'000);
  CHECK(world.content("a.h") == "1");
  world.remember();
  world.tree.write("a.h", "2");
  world.tree.touch("a.h", 1'000'000);
  CHECK(!world.valid());
  CHECK(world.content("a.h") == "2");
}

TEST_CASE_TEMPLATE("a header that appears earlier in the search order is noticed", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.mkdir("one/p");
  world.tree.mkdir("two/p/q");
  world.tree.write("two/p/q/a.h", "two");
  CHECK(world.place("one/p/q/a.h") == "one/p/q");  // the first missing component
  CHECK(world.content("two/p/q/a.h") == "two");
  world.remember();
  world.tree.write("one/p/k.txt", "1");
  world.tree.write("two/p/q/other.h", "1");
  CHECK(world.valid());  // nobody asked for these
  world.tree.mkdir("one/p/q");
  world.tree.write("one/p/q/a.h", "one");
  CHECK(!world.valid());
  CHECK(world.content("one/p/q/a.h") == "one");
}

TEST_CASE_TEMPLATE("a directory swapped for another is noticed at the files below it", Watch, ByWatch,
                   ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.mkdir("gen/deep/er");
  world.tree.mkdir("new/deep/er");
  world.tree.write("gen/deep/er/a.h", "1");
  world.tree.write("new/deep/er/a.h", "2");
  CHECK(world.content("gen/deep/er/a.h") == "1");
  CHECK(world.content("gen/deep/er/b.h") == "(none)");
  world.remember();
  world.tree.rename("gen", "old");
  world.tree.rename("new", "gen");
  CHECK(!world.valid());
  CHECK(world.content("gen/deep/er/a.h") == "2");
  world.remember();

  SUBCASE("the new tree is watched") { world.tree.write("gen/deep/er/a.h", "1"); }
  SUBCASE("and for what was missing") { world.tree.write("gen/deep/er/b.h", "1"); }
  CHECK(!world.valid());
}

TEST_CASE_TEMPLATE("a directory moved away and back changes nothing but is watched again", Watch, ByWatch,
                   ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.mkdir("d/e");
  world.tree.write("d/e/a.h", "1");
  CHECK(world.content("d/e/a.h") == "1");
  world.remember();
  world.tree.rename("d", "x");
  world.tree.rename("x", "d");
  CHECK(world.valid());
  world.tree.write("d/e/a.h", "2");
  CHECK(!world.valid());
}

TEST_CASE_TEMPLATE("a directory removed and made again is watched again", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.mkdir("d/e");
  world.tree.write("d/e/a.h", "1");
  CHECK(world.content("d/e/a.h") == "1");
  world.remember();
  world.tree.remove("d");
  CHECK(!world.valid());
  CHECK(world.place("d/e/a.h") == "d");
  world.remember();
  world.tree.mkdir("d/e");
  world.tree.write("d/e/a.h", "2");
  CHECK(!world.valid());
  CHECK(world.content("d/e/a.h") == "2");
  world.remember();
  world.tree.write("d/e/a.h", "1");
  CHECK(!world.valid());
}

TEST_CASE_TEMPLATE("a link that gets another target is noticed", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.mkdir("v1");
  world.tree.mkdir("v2");
  world.tree.write("v1/a.h", "1");
  world.tree.write("v2/a.h", "2");
  world.tree.symlink("v1", "current");
  CHECK(world.content("current/a.h") == "1");
  CHECK(world.place("current/a.h") == "v1/a.h");
  world.remember();
  world.tree.remove("current");
  world.tree.symlink("v2", "current");
  CHECK(!world.valid());
  CHECK(world.content("current/a.h") == "2");
}

TEST_CASE_TEMPLATE("a file replaced by a directory is noticed, and back", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.write("a.h", "1");
  CHECK(world.content("a.h") == "1");
  CHECK(world.content("a.h/k.txt") == "(none)");
  world.remember();
  CHECK(world.valid());
  world.tree.remove("a.h");
  world.tree.mkdir("a.h");
  world.tree.write("a.h/k.txt", "2");
  CHECK(!world.valid());
  CHECK(world.content("a.h/k.txt") == "2");
  CHECK(world.find("a.h").type == FileType::directory);
}

TEST_CASE_TEMPLATE("what is missing below a file depends on the file alone", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.write("a.h", "1");
  CHECK(world.content("a.h/k.txt") == "(none)");
  world.remember();
  world.tree.remove("a.h");
  world.tree.mkdir("a.h");
  world.tree.write("a.h/k.txt", "2");
  CHECK(!world.valid());
}

TEST_CASE_TEMPLATE("a write through another hard link is noticed", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.mkdir("in");
  world.tree.mkdir("elsewhere");
  world.tree.write("in/a.h", "1");
  SUBCASE("the link was there before") {
    world.tree.link("in/a.h", "elsewhere/b.h");
    CHECK(world.content("in/a.h") == "1");
  }
  SUBCASE("the link was made after") {
    CHECK(world.content("in/a.h") == "1");
    world.tree.link("in/a.h", "elsewhere/b.h");
    world.valid();
    CHECK(world.content("in/a.h") == "1");
  }
  world.remember();
  CHECK(world.valid());
  world.tree.write("elsewhere/b.h", "2");
  CHECK(!world.valid());
  CHECK(world.content("in/a.h") == "2");
}

TEST_CASE_TEMPLATE("two names of one file change together", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.write("a.h", "1");
  CHECK(world.content("a.h") == "1");
  world.tree.link("a.h", "b.h");
  world.index.refresh();
  CHECK(world.content("a.h") == "1");
  CHECK(world.content("b.h") == "1");
  world.remember();
  CHECK(world.valid());
  world.tree.write("b.h", "2");
  CHECK(!world.valid());
  CHECK(world.content("a.h") == "2");
  CHECK(world.content("b.h") == "2");
  world.remember();
  world.tree.remove("b.h");
  CHECK(!world.valid());
  world.trail.clear();
  CHECK(world.content("a.h") == "2");
  world.remember();
  CHECK(world.valid());
  world.tree.write("a.h", "1");  // still told after the other name has gone
  CHECK(!world.valid());
}

TEST_CASE_TEMPLATE("files made in a directory do not change the directory", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.mkdir("d");
  CHECK(world.find("d/..").type == FileType::directory);
  CHECK(world.find("d").type == FileType::directory);
  world.remember();
  world.tree.write("d/a.o", "1");
  world.tree.mkdir("d/sub");
  CHECK(world.valid());
  world.tree.remove("d");
  CHECK(!world.valid());
}

TEST_CASE_TEMPLATE("a file that is no longer readable is noticed", Watch, ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.write("a.h", "1");
  CHECK(world.content("a.h") == "1");
  world.remember();
  world.tree.chmod("a.h", 0);
  CHECK(!world.valid());
}

TEST_CASE("lost notices make every node looked at once more") {
  fake::FileTree tree;
  auto made = std::make_unique<fake::LossyWatcher>(inputs::make_watcher());
  fake::LossyWatcher& watcher = *made;
  inputs::FileIndex index(base::real_files(), base::real_clock(), std::move(made));
  inputs::Trail trail;
  tree.mkdir("d");
  tree.mkdir("new");
  tree.write("d/a.h", "1");
  tree.write("new/a.h", "2");
  inputs::NodeId node = index.find(tree.at("d/a.h"), trail).node;
  CHECK(*index.digest(node) == base::digest_of("1"));
  index.find(tree.at("d/b.h"), trail);
  inputs::Snapshot snapshot = index.snapshot(trail);

  watcher.lose_next = true;
  index.refresh();
  CHECK(index.valid(snapshot));
  CHECK(index.counters().overflows == 1);
  CHECK(*index.digest(node) == base::digest_of("1"));

  tree.rename("d", "old");
  tree.rename("new", "d");
  watcher.lose_next = true;
  index.refresh();
  CHECK(!index.valid(snapshot));
  CHECK(*index.digest(node) == base::digest_of("2"));
  snapshot = index.snapshot(trail);
  CHECK(index.valid(snapshot));

  tree.write("d/b.h", "1");  // the new directory is watched, by the new queue
  index.refresh();
  CHECK(!index.valid(snapshot));
  CHECK(index.counters().overflows == 2);
}

TEST_CASE("without watches left, and on unreliable file systems, stat does the work") {
  fake::FileTree tree;
  auto made = std::make_unique<fake::LossyWatcher>(inputs::make_watcher());
  SUBCASE("refused") { made->refuse = true; }
  SUBCASE("unreliable") { made->reliable_devices = false; }
  inputs::FileIndex index(base::real_files(), base::real_clock(), std::move(made));
  inputs::Trail trail;
  tree.write("a.h", "1");
  inputs::NodeId node = index.find(tree.at("a.h"), trail).node;
  CHECK(*index.digest(node) == base::digest_of("1"));
  CHECK(index.counters().watches == 0);
  inputs::Snapshot snapshot = index.snapshot(trail);
  index.refresh();
  CHECK(index.valid(snapshot));
  CHECK(snapshot.epoch == 0);
  tree.write("a.h", "2");
  index.refresh();
  CHECK(!index.valid(snapshot));
}

TEST_CASE("when the epochs no longer fit a version, no snapshot is valid") {
  fake::FileTree tree;
  tree.write("a.h", "1");
  tree.write("b.h", "1");
  bool watch = true;
  SUBCASE("by watch") {}
  SUBCASE("by stat") { watch = false; }
  for (const bool spent : {false, true}) {
    inputs::FileIndex index(base::real_files(), base::real_clock(), watch ? inputs::make_watcher() : nullptr,
                            inputs::kVersion - (spent ? 0 : 1));
    inputs::Trail trail;
    index.find(tree.at("a.h"), trail);
    index.find(tree.at("b.h"), trail);
    inputs::Snapshot snapshot = index.snapshot(trail, index.epoch());
    index.refresh();
    CHECK(index.valid(snapshot) == !spent);
    for (const inputs::NodeId node : trail) {
      snapshot = index.snapshot({node}, index.epoch());
      CHECK(index.valid(snapshot) == !spent);
    }
  }
}

TEST_CASE("unknown files cost neither an epoch nor a stat") {
  FileIndexWorld world(true);
  world.tree.write("a.h", "1");
  world.content("a.h");
  world.remember();
  CHECK(world.valid());
  const std::uint64_t epoch = world.index.epoch();
  const std::uint64_t stats = world.index.counters().stats;
  for (int i = 0; i < 100; ++i) world.tree.write("o" + std::to_string(i), "1");
  CHECK(world.valid());
  CHECK(world.index.counters().events >= 100);
  CHECK(world.index.counters().stats == stats);
  CHECK(world.index.epoch() == epoch);
}

TEST_CASE("repeated look-ups cost no system call while notices are trusted") {
  FileIndexWorld world(true);
  world.tree.mkdir("d/e");
  world.tree.write("d/e/a.h", "1");
  world.content("d/e/a.h");
  world.content("d/e/none.h");
  inputs::FileIndex::Counters before = world.index.counters();
  world.index.refresh();
  CHECK(world.content("d/e/a.h") == "1");
  CHECK(world.content("d/e/none.h") == "(none)");
  CHECK(world.index.counters().stats == before.stats);
  CHECK(world.index.counters().reads == before.reads);
}

TEST_CASE("by stat, each node is looked at once per refresh") {
  FileIndexWorld world(false);
  world.tree.write("a.h", "1");
  world.find("a.h");
  world.remember();
  world.index.refresh();
  CHECK(world.index.valid(world.snapshot));
  const std::uint64_t stats = world.index.counters().stats;
  CHECK(world.index.valid(world.snapshot));
  world.find("a.h");
  CHECK(world.index.counters().stats == stats);
  CHECK(world.valid());
  CHECK(world.index.counters().stats > stats);
}

TEST_CASE_TEMPLATE("an answer during which a node changed makes a snapshot that is never valid", Watch,
                   ByWatch, ByStat) {
  FileIndexWorld world(Watch::value);
  world.tree.write("a.h", "1");
  world.tree.write("b.h", "1");
  world.index.refresh();
  const std::uint64_t since = world.index.epoch();
  CHECK(world.content("a.h") == "1");
  world.tree.write("a.h", "2");
  world.index.refresh();  // another request's
  CHECK(world.content("a.h") == "2");
  world.snapshot = world.index.snapshot(world.trail, since);
  CHECK(!world.valid());
  CHECK(!world.valid());

  const std::uint64_t again = world.index.epoch();
  world.trail.clear();
  CHECK(world.content("a.h") == "2");
  world.snapshot = world.index.snapshot(world.trail, again);
  CHECK(world.valid());
}

TEST_CASE("a snapshot is sorted and without repeats") {
  FileIndexWorld world(true);
  world.tree.write("a.h", "1");
  for (int i = 0; i < 3; ++i) {
    world.find("b.h");
    world.find("a.h");
  }
  world.remember();
  REQUIRE(world.snapshot.items.size() == 2);
  CHECK(world.snapshot.items[0].node < world.snapshot.items[1].node);
}

TEST_CASE("touched_since names a file written at or after a time, and no directory") {
  FileIndexWorld world(true);
  world.tree.mkdir("d");
  world.tree.write("a.h", "1");
  const inputs::NodeId file = world.find("a.h").node;
  world.find("d");
  world.find("none");
  const base::FileStat stat = world.index.stat(file);
  const base::Nanoseconds written(std::max(stat.mtime_ns, stat.ctime_ns));
  CHECK(world.index.touched_since(world.trail, written) == file);
  CHECK(world.index.touched_since(world.trail, written + base::Nanoseconds(1)) == inputs::kNoNode);
}

TEST_CASE("the facts of a node") {
  FileIndexWorld world(true);
  world.tree.write("a.h", "one");
  world.tree.symlink("a.h", "l.h");
  const inputs::Found found = world.find("l.h");
  CHECK(world.index.type(found.node) == FileType::regular);
  CHECK(world.index.stat(found.node).size == 3);
  CHECK(world.index.path(found.node) == world.tree.at("a.h"));
  REQUIRE(world.trail.size() == 2);
  CHECK(world.index.type(world.trail[0]) == FileType::symlink);
  CHECK(world.index.link_target(world.trail[0]) == "a.h");
  CHECK(world.index.link_target(found.node).empty());
}
