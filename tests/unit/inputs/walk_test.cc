#include "inputs/walk.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "fake/fake_clock.h"
#include "fake/fake_files.h"

namespace {

using base::FileType;
using Paths = std::vector<std::string>;

struct WalkWorld {
  fake::FakeFiles files;
  fake::FakeClock clock;
  inputs::NodeTable table;
  inputs::Tracker tracker{table, files, clock, nullptr};
  inputs::Trail trail;

  inputs::Found find(std::string_view path) {
    trail.clear();
    return inputs::walk(table, tracker, inputs::NodeTable::kRoot, path, trail);
  }
  std::string place(std::string_view path) { return table.path(find(path).node); }
  Paths passed() const {
    Paths out;
    for (inputs::NodeId node : trail) out.push_back(table.path(node));
    return out;
  }
};

}  // namespace

TEST_CASE("a plain path depends on the file alone") {
  WalkWorld world;
  world.files.write("/p/inc/a.h", "");
  CHECK(world.find("/p/inc/a.h").type == FileType::regular);
  CHECK(world.passed() == Paths{"/p/inc/a.h"});
  CHECK(world.place("//p/./inc///a.h") == "/p/inc/a.h");
  CHECK(world.find("/p/inc/").type == FileType::directory);
  CHECK(world.find("/").type == FileType::directory);
}

TEST_CASE("what is missing is named by its first missing component") {
  WalkWorld world;
  world.files.write("/p/a.h", "");
  CHECK(world.find("/p/x/y/z.h").type == FileType::absent);
  CHECK(world.passed() == Paths{"/p/x"});
  CHECK(world.find("/p/x/../a.h").type == FileType::absent);  // the kernel does not skip what is missing
  CHECK(world.passed() == Paths{"/p/x"});
}

TEST_CASE("nothing is below a file") {
  WalkWorld world;
  world.files.write("/p/a.h", "");
  CHECK(world.find("/p/a.h/b.h").type == FileType::absent);
  CHECK(world.find("/p/a.h/").type == FileType::absent);
  CHECK(world.find("/p/a.h/.").type == FileType::absent);
  CHECK(world.find("/p/a.h/../a.h").type == FileType::absent);
  CHECK(!world.find("/p/a.h/..").broken);
}

TEST_CASE("dot-dot steps through directories that must exist") {
  WalkWorld world;
  world.files.make_directory("/p/src");
  world.files.write("/p/inc/a.h", "");
  CHECK(world.place("/p/src/../inc/a.h") == "/p/inc/a.h");
  CHECK(world.passed() == Paths{"/p/src", "/p/inc/a.h"});
  CHECK(world.place("/../p/inc/a.h") == "/p/inc/a.h");
}

TEST_CASE("dot-dot after a link is the parent of its target") {
  WalkWorld world;
  world.files.write("/far/away/a.h", "");
  world.files.write("/far/b.h", "");
  world.files.write("/p/b.h", "");
  world.files.link("/p/link", "/far/away");
  CHECK(world.place("/p/link/../b.h") == "/far/b.h");
  CHECK(world.passed() == Paths{"/p/link", "/far/away", "/far/b.h"});
}

TEST_CASE("links are followed in the middle, at the end, and through links") {
  WalkWorld world;
  world.files.write("/v1/inc/a.h", "");
  world.files.link("/current", "v1");
  world.files.link("/v1/inc/b.h", "a.h");
  world.files.link("/v1/inc/c.h", "../../current/inc/b.h");
  CHECK(world.place("/current/inc/c.h") == "/v1/inc/a.h");
  CHECK(world.passed() ==
        Paths{"/current", "/v1/inc/c.h", "/v1/inc", "/v1", "/current", "/v1/inc/b.h", "/v1/inc/a.h"});
  world.files.link("/dir", "v1/");
  CHECK(world.place("/dir/inc/a.h") == "/v1/inc/a.h");
}

TEST_CASE("a dangling link is missing where it leads to") {
  WalkWorld world;
  world.files.link("/p/a.h", "nowhere.h");
  CHECK(world.find("/p/a.h").type == FileType::absent);
  CHECK(!world.find("/p/a.h").broken);
  CHECK(world.passed() == Paths{"/p/a.h", "/p/nowhere.h"});
}

TEST_CASE("a ring of links is broken") {
  WalkWorld world;
  world.files.link("/a", "b");
  world.files.link("/b", "a");
  CHECK(world.find("/a").broken);
  CHECK(world.find("/a/x.h").broken);
}

TEST_CASE("forty links are followed, one more is broken") {
  WalkWorld world;
  world.files.write("/f0", "");
  for (int i = 1; i <= 41; ++i) {
    world.files.link("/f" + std::to_string(i), "f" + std::to_string(i - 1));
  }
  CHECK(world.find("/f40").type == FileType::regular);
  CHECK(world.find("/f41").broken);
}

TEST_CASE("what may not be entered is broken, and so is all below") {
  WalkWorld world;
  world.files.write("/p/secret/a.h", "");
  world.files.fail("/p/secret/a.h", EACCES);
  inputs::Found found = world.find("/p/secret/a.h");
  CHECK(found.broken);
  CHECK(found.type == FileType::absent);
  CHECK(world.passed() == Paths{"/p/secret/a.h"});
  CHECK(world.find("/p/secret/a.h/x").broken);
}

TEST_CASE("names that no file can have are broken") {
  WalkWorld world;
  CHECK(world.find("/" + std::string(256, 'a')).broken);
  CHECK(!world.find("/" + std::string(255, 'a')).broken);
  CHECK(world.find(std::string("/a\0b", 4)).broken);
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "/a";
  CHECK(world.find(deep).broken);
}

TEST_CASE("a look-up may begin in a directory") {
  WalkWorld world;
  world.files.write("/p/inc/sub/a.h", "");
  inputs::NodeId inc = world.find("/p/inc").node;
  inputs::Trail trail;
  CHECK(world.table.path(inputs::walk(world.table, world.tracker, inc, "sub/./a.h", trail).node) ==
        "/p/inc/sub/a.h");
  CHECK(world.table.path(inputs::walk(world.table, world.tracker, inc, "../inc/x.h", trail).node) ==
        "/p/inc/x.h");
  CHECK(world.table.path(inputs::walk(world.table, world.tracker, inc, "/p", trail).node) == "/p");
  CHECK(inputs::walk(world.table, world.tracker, inputs::kNoNode, "a.h", trail).broken);
}
