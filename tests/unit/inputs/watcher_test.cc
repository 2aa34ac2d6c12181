// The kernel's own notices.
#include "inputs/watcher.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fake/file_tree.h"

#ifdef __linux__

namespace {

using inputs::Watcher;
using Kind = Watcher::Kind;

struct Seen {
  Kind kind;
  int watch;
  bool directory;
  std::string name;
};

std::vector<Seen> drain(Watcher& watcher) {
  std::vector<Seen> out;
  watcher.drain([&](const Watcher::Event& event) {
    out.push_back({event.kind, event.watch, event.directory, std::string(event.name)});
    return true;
  });
  return out;
}

bool told(const std::vector<Seen>& events, Kind kind, const std::string& name) {
  return std::any_of(events.begin(), events.end(),
                     [&](const Seen& event) { return event.kind == kind && event.name == name; });
}

struct WatcherWorld {
  std::unique_ptr<Watcher> watcher = inputs::make_watcher();
  fake::FileTree tree;
  int watch = -1;
  WatcherWorld() {
    REQUIRE(watcher);
    REQUIRE(watcher->add(tree.root(), watch) == Watcher::Added::yes);
  }
};

}  // namespace

TEST_CASE("each change of an entry is told when its system call has returned") {
  WatcherWorld world;
  CHECK(drain(*world.watcher).empty());
  world.tree.write("a.h", "1");
  std::vector<Seen> events = drain(*world.watcher);
  CHECK(told(events, Kind::entry, "a.h"));
  CHECK(told(events, Kind::content, "a.h"));
  for (const Seen& event : events) CHECK(event.watch == world.watch);
  world.tree.append("a.h", "1");
  CHECK(told(drain(*world.watcher), Kind::content, "a.h"));
  world.tree.touch("a.h", 5);
  CHECK(told(drain(*world.watcher), Kind::attributes, "a.h"));
  world.tree.rename("a.h", "b.h");
  events = drain(*world.watcher);
  CHECK(told(events, Kind::entry, "a.h"));
  CHECK(told(events, Kind::entry, "b.h"));
  world.tree.remove("b.h");
  CHECK(told(drain(*world.watcher), Kind::entry, "b.h"));
  CHECK(drain(*world.watcher).empty());
}

TEST_CASE("directories are told apart") {
  WatcherWorld world;
  world.tree.mkdir("d");
  std::vector<Seen> events = drain(*world.watcher);
  REQUIRE(told(events, Kind::entry, "d"));
  CHECK(events.front().directory);
  world.tree.write("d/below", "1");
  CHECK(drain(*world.watcher).empty());
}

TEST_CASE("the end and the move of what is watched is told") {
  WatcherWorld world;
  world.tree.mkdir("d");
  int inner = -1;
  REQUIRE(world.watcher->add(world.tree.at("d"), inner) == Watcher::Added::yes);
  drain(*world.watcher);
  auto told_self = [&](const std::vector<Seen>& events) {
    return std::any_of(events.begin(), events.end(),
                       [&](const Seen& event) { return event.kind == Kind::self && event.watch == inner; });
  };
  world.tree.rename("d", "e");
  CHECK(told_self(drain(*world.watcher)));
  world.tree.remove("e");
  CHECK(told_self(drain(*world.watcher)));
}

TEST_CASE("a watched file tells of writes through any of its names") {
  WatcherWorld world;
  world.tree.mkdir("d");
  world.tree.write("d/a.h", "1");
  int file = -1;
  REQUIRE(world.watcher->add_file(world.tree.at("d/a.h"), file) == Watcher::Added::yes);
  drain(*world.watcher);
  world.tree.mkdir("elsewhere");
  drain(*world.watcher);
  world.tree.link("d/a.h", "elsewhere/b.h");
  CHECK(told(drain(*world.watcher), Kind::attributes, ""));
  world.tree.append("elsewhere/b.h", "2");
  CHECK(told(drain(*world.watcher), Kind::content, ""));
  int same = -1;
  REQUIRE(world.watcher->add_file(world.tree.at("elsewhere/b.h"), same) == Watcher::Added::yes);
  CHECK(same == file);
}

TEST_CASE("a file's watch does not take away from a directory's") {
  WatcherWorld world;
  int same = -1;
  REQUIRE(world.watcher->add_file(world.tree.root(), same) == Watcher::Added::yes);
  CHECK(same == world.watch);
  world.tree.mkdir("d");
  CHECK(told(drain(*world.watcher), Kind::entry, "d"));
}

TEST_CASE("only a directory that is there can be watched, and no link to one") {
  WatcherWorld world;
  world.tree.write("a.h", "1");
  world.tree.symlink(".", "link");
  int watch = -1;
  CHECK(world.watcher->add(world.tree.at("none"), watch) == Watcher::Added::gone);
  CHECK(world.watcher->add(world.tree.at("a.h"), watch) == Watcher::Added::gone);
  CHECK(world.watcher->add(world.tree.at("link"), watch) == Watcher::Added::gone);
  CHECK(world.watcher->add_file(world.tree.at("none"), watch) == Watcher::Added::gone);
  CHECK(watch == -1);
}

TEST_CASE("after remove and after restart nothing is told") {
  WatcherWorld world;
  SUBCASE("remove") { world.watcher->remove(world.watch); }
  SUBCASE("restart") { CHECK(world.watcher->restart()); }
  drain(*world.watcher);
  world.tree.write("a.h", "1");
  CHECK(drain(*world.watcher).empty());
  REQUIRE(world.watcher->add(world.tree.root(), world.watch) == Watcher::Added::yes);
  world.tree.write("b.h", "1");
  CHECK(told(drain(*world.watcher), Kind::entry, "b.h"));
}

TEST_CASE("more notices than fit into one reading are all told") {
  WatcherWorld world;
  const std::string pad(200, 'x');
  for (int i = 0; i < 1000; ++i) world.tree.write(pad + std::to_string(i), "1");
  std::vector<Seen> events = drain(*world.watcher);
  for (int i = 0; i < 1000; ++i) REQUIRE(told(events, Kind::entry, pad + std::to_string(i)));
  CHECK(drain(*world.watcher).empty());
}

TEST_CASE("a sink that says no ends the drain") {
  WatcherWorld world;
  for (int i = 0; i < 5; ++i) world.tree.write("f" + std::to_string(i), "1");
  int calls = 0;
  world.watcher->drain([&](const Watcher::Event&) { return ++calls < 2; });
  CHECK(calls == 2);
}

TEST_CASE("there is room for the watches of files") { CHECK(WatcherWorld().watcher->file_limit() > 0); }

#endif
