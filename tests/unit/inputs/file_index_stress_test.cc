// Many threads ask while one changes files. What an answer may be is checked, not when it comes.
#include <doctest/doctest.h>

#include <atomic>
#include <charconv>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "fake/fake_watcher.h"
#include "fake/file_tree.h"
#include "inputs/file_index.h"

namespace {

constexpr int kFiles = 8;
constexpr int kRounds = 150;

// The content of every file is one number, the same for all files of a generation directory.
std::string name(int file) { return "gen/f" + std::to_string(file) + ".h"; }

struct FileIndexStressWorld {
  explicit FileIndexStressWorld(std::unique_ptr<inputs::Watcher> watcher)
      : index(base::real_files(), base::real_clock(), std::move(watcher)) {}

  fake::FileTree tree;
  inputs::FileIndex index;
  std::atomic<int> written{0};  // every file holds at least this number
  std::atomic<bool> done{false};
  std::atomic<int> stale{0};  // answers older than what was written before the request
  std::atomic<int> checked{0};
};

// The number that the file holds by the index's word, or -1 while it is being replaced.
int number(FileIndexStressWorld& world, inputs::Trail& trail, int file) {
  inputs::Found found = world.index.find(world.tree.at(name(file)), trail);
  if (found.type != base::FileType::regular) return -1;
  auto made = world.index.derive(found.node, 0, [](std::string text) {
    int value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::make_shared<const int>(value);
  });
  return made.ok() && *made ? *static_cast<const int*>(made->get()) : -1;
}

// A request: what was written before it must be seen by it, by fresh look-ups and by remembered ones.
void ask(FileIndexStressWorld& world, int file) {
  inputs::Snapshot snapshot;
  int remembered = -1;
  while (!world.done) {
    const int before = world.written;
    world.index.refresh();
    const std::uint64_t since = world.index.epoch();
    if (remembered >= 0 && world.index.valid(snapshot)) {
      if (remembered < before) ++world.stale;
      ++world.checked;
      continue;
    }
    inputs::Trail trail;
    const int seen = number(world, trail, file);
    if (seen >= 0 && seen < before) ++world.stale;
    if (seen >= 0) ++world.checked;
    snapshot = world.index.snapshot(trail, since);
    remembered = seen;
  }
}

void rewrite_all(FileIndexStressWorld& world, int round) {
  switch (round % 4) {
    case 0:  // in place
      for (int file = 0; file < kFiles; ++file) world.tree.write(name(file), std::to_string(round));
      break;
    case 1:  // over
      for (int file = 0; file < kFiles; ++file) {
        world.tree.write("new.tmp", std::to_string(round));
        world.tree.rename("new.tmp", name(file));
      }
      break;
    case 2:  // the whole directory
      world.tree.mkdir("next");
      for (int file = 0; file < kFiles; ++file) {
        world.tree.write("next" + name(file).substr(3), std::to_string(round));
      }
      world.tree.rename("gen", "old");
      world.tree.rename("next", "gen");
      world.tree.remove("old");
      break;
    default:  // through another hard link
      for (int file = 0; file < kFiles; ++file) {
        world.tree.link(name(file), "link.h");
        world.tree.write("link.h", std::to_string(round));
        world.tree.remove("link.h");
      }
  }
}

void run(std::unique_ptr<inputs::Watcher> watcher, fake::LossyWatcher* lossy) {
  FileIndexStressWorld world(std::move(watcher));
  world.tree.mkdir("gen");
  for (int file = 0; file < kFiles; ++file) world.tree.write(name(file), "0");
  {
    std::vector<base::Thread> threads;
    for (int i = 0; i < kFiles; ++i) threads.emplace_back("ask", [&world, i] { ask(world, i); });
    for (int round = 1; round <= kRounds; ++round) {
      rewrite_all(world, round);
      world.written = round;
      if (lossy != nullptr && round % 7 == 0) lossy->lose_next = true;
    }
    // Let each thread see the last state at least once more.
    const int enough = world.checked + 4 * kFiles;
    while (world.checked < enough) world.index.refresh();
    world.done = true;
  }
  CHECK(world.stale == 0);
  CHECK(world.checked > 0);
  world.index.refresh();
  inputs::Trail trail;
  for (int file = 0; file < kFiles; ++file) CHECK(number(world, trail, file) == kRounds);
}

}  // namespace

TEST_CASE("many threads never see less than what was written before they asked, told by notices") {
  run(inputs::make_watcher(), nullptr);
}

TEST_CASE("many threads never see less than what was written before they asked, with notices lost") {
  auto made = std::make_unique<fake::LossyWatcher>(inputs::make_watcher());
  fake::LossyWatcher* lossy = made.get();
  run(std::move(made), lossy);
}

TEST_CASE("many threads never see less than what was written before they asked, by stat") {
  run(nullptr, nullptr);
}
