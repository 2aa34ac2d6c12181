#include "task/compiler_watch.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "fake/temp_dir.h"

namespace {

// A compiler of two parts, of which one is found by a link, a table, and a file that it has not.
class World {
 public:
  explicit World(bool watch) : index_(base::real_files(), base::real_clock(), watch) {
    dir.write("bin/cc1", "one");
    dir.write("lib/libisl.so.23.1", "two");
    dir.write("etc/ld.so.cache", "table");
    link("libisl.so.23.1");
  }

  void link(const std::string& target) {
    std::remove((dir / "lib/libisl.so").c_str());
    REQUIRE(::symlink(target.c_str(), (dir / "lib/libisl.so").c_str()) == 0);
  }

  compiler::Stamp stamp(const std::string& name) {
    base::Result<compiler::Stamp> made = compiler::stamp_of(base::real_files(), dir / name);
    REQUIRE(made);
    return *made;
  }

  std::shared_ptr<compiler::Compiler> compiler(const std::string& cc1 = "one") {
    auto made = std::make_shared<compiler::Compiler>();
    made->parts.push_back({dir / "bin/cc1", base::digest_of(cc1)});
    made->parts.push_back({dir / "lib/libisl.so", base::digest_of("two")});
    for (const char* name : {"lib/specs", "etc/ld.so.cache"}) made->beside.push_back(stamp(name));
    return made;
  }

  std::string watch(const std::shared_ptr<const compiler::Compiler>& compiler) {
    index_.refresh();
    trail.clear();
    untold.clear();
    base::Result<void> watched = watch_.watch(compiler, index_, index_.epoch(), trail, untold);
    return watched ? "" : watched.error().message;
  }

  bool is_unchanged(const compiler::Compiler& compiler) {
    index_.refresh();
    return watch_.unchanged(compiler, index_);
  }

  bool is_in_trail(const std::string& name) {
    inputs::Trail own;
    return std::count(trail.begin(), trail.end(), index_.find(dir / name, own).node) > 0;
  }

  fake::TempDir dir;
  inputs::Trail trail;
  std::vector<compiler::Stamp> untold;

 private:
  inputs::FileIndex index_;
  task::CompilerWatch watch_;
};

}  // namespace

TEST_CASE("the compiler's files are in the trail of each unit") {
  for (bool watch : {true, false}) {
    CAPTURE(watch);
    World world(watch);
    auto compiler = world.compiler();
    for (int unit = 0; unit < 3; ++unit) {
      REQUIRE(world.watch(compiler).empty());
      CHECK(world.untold.empty());
      for (const char* name : {"bin/cc1", "lib/libisl.so.23.1", "lib/specs", "etc/ld.so.cache"}) {
        CAPTURE(name);
        CHECK(world.is_in_trail(name));
      }
    }
  }
}

TEST_CASE("a compiler that is replaced after it was watched is noticed") {
  for (bool watch : {true, false}) {
    CAPTURE(watch);
    World world(watch);
    auto compiler = world.compiler();
    CHECK_FALSE(world.is_unchanged(*compiler));
    REQUIRE(world.watch(compiler).empty());
    CHECK(world.is_unchanged(*compiler));

    SUBCASE("a part with other content") {
      world.dir.write("bin/cc1", "another");
      CHECK(world.watch(compiler) == "compiler_changed: " + (world.dir / "bin/cc1"));
    }
    SUBCASE("a link that leads to another library") {
      world.dir.write("lib/libisl.so.24", "newer");
      world.link("libisl.so.24");
      CHECK(world.watch(compiler) == "compiler_changed: " + (world.dir / "lib/libisl.so"));
    }
    SUBCASE("a part that is gone") {
      std::remove((world.dir / "bin/cc1").c_str());
      CHECK(world.watch(compiler) == "compiler_changed: " + (world.dir / "bin/cc1"));
    }
    SUBCASE("a file that was looked for in vain") {
      world.dir.write("lib/specs", "*cc1:");
      CHECK(world.watch(compiler) == "compiler_changed: " + (world.dir / "lib/specs"));
    }
    SUBCASE("a table with other content") {
      world.dir.write("etc/ld.so.cache", "other");
      CHECK(world.watch(compiler) == "compiler_changed: " + (world.dir / "etc/ld.so.cache"));
    }
    CHECK_FALSE(world.is_unchanged(*compiler));
  }
}

TEST_CASE("each compiler is compared with its own digests") {
  World world(true);
  REQUIRE(world.watch(world.compiler()).empty());
  CHECK(world.watch(world.compiler("other")) == "compiler_changed: " + (world.dir / "bin/cc1"));
  CHECK(world.watch(world.compiler()).empty());
}

TEST_CASE("what changed before it was watched is noticed, and what cannot be watched is told") {
  for (bool watch : {true, false}) {
    CAPTURE(watch);
    World world(watch);
    auto compiler = world.compiler();
    world.dir.write("etc/ld.so.cache", "other");
    CHECK(world.watch(compiler) == "compiler_changed: " + (world.dir / "etc/ld.so.cache"));

    compiler = world.compiler();
    compiler->beside.push_back(world.stamp("lib"));
    REQUIRE(world.watch(compiler).empty());
    REQUIRE(world.untold.size() == 1);
    CHECK(world.untold[0].path == world.dir / "lib");
    CHECK_FALSE(world.is_unchanged(*compiler));
    REQUIRE(world.watch(compiler).empty());
    CHECK(world.untold.size() == 1);
  }
}
