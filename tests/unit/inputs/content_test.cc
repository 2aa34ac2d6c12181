#include "inputs/content.h"

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
#include "inputs/walk.h"

namespace {

// Does something when a file has been read, as another process may.
class BusyFiles : public fake::FakeFiles {
 public:
  std::function<void()> after_read;
  base::Result<std::string> read(const std::string& path) override {
    base::Result<std::string> content = FakeFiles::read(path);
    if (after_read) after_read();
    return content;
  }
};

struct ContentWorld {
  BusyFiles files;
  fake::FakeClock clock;
  inputs::NodeTable table;
  inputs::Tracker tracker{table, files, clock, nullptr};
  inputs::Contents contents{table, tracker, files};
  int made = 0;
  const inputs::Contents::Make make = [this](std::string text) {
    ++made;
    return std::make_shared<const std::string>("made of " + text);
  };

  inputs::NodeId node(std::string_view path) {
    inputs::Trail trail;
    return inputs::walk(table, tracker, inputs::NodeTable::kRoot, path, trail).node;
  }
  std::string derive(std::string_view path, std::uint8_t slot = 0) {
    auto derived = contents.derive(node(path), slot, make);
    return derived.ok() ? *static_cast<const std::string*>(derived->get()) : derived.error().message;
  }
};

}  // namespace

TEST_CASE("a digest is made once per version") {
  ContentWorld world;
  world.files.write("/a.h", "1");
  inputs::NodeId node = world.node("/a.h");
  CHECK(*world.contents.digest(node) == base::digest_of("1"));
  CHECK(*world.contents.digest(node) == base::digest_of("1"));
  CHECK(world.files.reads().size() == 1);
  world.files.write("/a.h", "22");
  world.tracker.refresh();
  CHECK(*world.contents.digest(node) == base::digest_of("22"));
  CHECK(world.files.reads().size() == 2);
}

TEST_CASE("a slot is made once per version and makes the digest known") {
  ContentWorld world;
  world.files.write("/a.h", "1");
  CHECK(world.derive("/a.h") == "made of 1");
  CHECK(world.derive("/a.h") == "made of 1");
  CHECK(world.made == 1);
  CHECK(*world.contents.digest(world.node("/a.h")) == base::digest_of("1"));
  CHECK(world.files.reads().size() == 1);
  CHECK(world.derive("/a.h", 3) == "made of 1");
  CHECK(world.made == 2);
  CHECK(world.derive("/a.h", 0) == "made of 1");
  CHECK(world.made == 2);
}

TEST_CASE("a new version with equal content keeps what was made of it, another does not") {
  ContentWorld world;
  world.files.write("/a.h", "1");
  CHECK(world.derive("/a.h") == "made of 1");
  world.files.write("/a.h", "1");  // other times
  world.tracker.refresh();
  CHECK(world.derive("/a.h") == "made of 1");
  CHECK(world.made == 1);
  CHECK(world.files.reads().size() == 2);
  world.files.write("/a.h", "2");
  world.tracker.refresh();
  CHECK(world.derive("/a.h") == "made of 2");
  CHECK(world.made == 2);
}

TEST_CASE("a file that changes while it is read is read again") {
  ContentWorld world;
  world.files.write("/a.h", "old");
  int changes = 1;
  world.files.after_read = [&] {
    if (changes-- > 0) world.files.write("/a.h", "new");
  };
  CHECK(*world.contents.digest(world.node("/a.h")) == base::digest_of("new"));
  CHECK(world.files.reads().size() == 2);
}

TEST_CASE("a file that never stops changing is an error that may pass") {
  ContentWorld world;
  world.files.write("/a.h", "1");
  world.files.after_read = [&] { world.files.write("/a.h", "1"); };
  base::Result<base::Digest> digest = world.contents.digest(world.node("/a.h"));
  REQUIRE(!digest.ok());
  CHECK(digest.error().kind == base::ErrorKind::transient);
  world.files.after_read = nullptr;
  CHECK(world.contents.digest(world.node("/a.h")).ok());
}

TEST_CASE("what was made of a version that is over is made again") {
  ContentWorld world;
  world.files.write("/a.h", "old");
  inputs::NodeId node = world.node("/a.h");
  auto derived = world.contents.derive(node, 0, [&](std::string text) {
    if (++world.made == 1) {
      world.files.write("/a.h", "new");
      world.tracker.refresh();
      world.tracker.look(node);
    }
    return std::make_shared<const std::string>(std::move(text));
  });
  REQUIRE(derived.ok());
  CHECK(*static_cast<const std::string*>(derived->get()) == "new");
  CHECK(world.made == 2);
}

TEST_CASE("what is no readable regular file has no digest") {
  ContentWorld world;
  world.files.make_directory("/d");
  CHECK(world.contents.digest(world.node("/d")).error().kind == base::ErrorKind::io);
  CHECK(world.contents.digest(world.node("/none")).error().kind == base::ErrorKind::io);
  world.files.write("/a.h", "1");
  inputs::NodeId node = world.node("/a.h");
  world.files.fail("/a.h", EACCES);
  CHECK(!world.contents.digest(node).ok());
}

TEST_CASE("threads that ask at the same time share one reading") {
  ContentWorld world;
  world.files.write("/a.h", "1");
  inputs::NodeId node = world.node("/a.h");
  std::atomic<int> made{0};
  std::atomic<int> right{0};
  {
    std::vector<base::Thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back("ask", [&] {
        auto derived = world.contents.derive(node, 0, [&](std::string) {
          ++made;
          return std::make_shared<const int>(7);
        });
        if (derived.ok() && *static_cast<const int*>(derived->get()) == 7) ++right;
      });
    }
  }
  CHECK(made == 1);
  CHECK(right == 8);
  CHECK(world.files.reads().size() == 1);
}
