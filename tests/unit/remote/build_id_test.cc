#include "remote/build_id.h"

#include <doctest/doctest.h>

#include "fake/fake_files.h"

namespace {

// A tree of processes in a fake /proc.
struct Processes {
  Processes() { files.write("/proc/sys/kernel/random/boot_id", "boot\n"); }
  void add(int pid, const std::string& name, int parent, const std::string& start = "100") {
    files.write("/proc/" + std::to_string(pid) + "/stat",
                std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) +
                    " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + start + " 0 0\n");
  }
  std::string of(int pid, const std::vector<std::string>& env = {}) {
    return remote::BuildIds(files).of(env, pid);
  }
  fake::FakeFiles files;
};

}  // namespace

TEST_CASE("the build tool's own name of the build is taken") {
  Processes processes;
  processes.add(10, "ninja", 1);
  CHECK(processes.of(10, {"AUTONINJA_BUILD_ID=abc-1"}) == "abc-1");
  CHECK(processes.of(10, {"SISO_BUILD_ID=s", "AUTONINJA_BUILD_ID=abc-1"}) == "abc-1");
  CHECK(processes.of(10, {"RBE_invocation_id=r"}) == "r");
}

TEST_CASE("a name that no header can carry is not taken") {
  Processes processes;
  std::string derived = processes.of(10);
  CHECK(processes.of(10, {"SISO_BUILD_ID="}).size() == derived.size());
  CHECK(processes.of(10, {"SISO_BUILD_ID=a b"}) != "a b");
  CHECK(processes.of(10, {"SISO_BUILD_ID=" + std::string(1000, 'x')}).size() == derived.size());
}

TEST_CASE("compiles of one ninja are one build, those of two are two") {
  Processes processes;
  processes.add(10, "ninja", 1);
  processes.add(20, "ninja", 1);
  processes.add(11, "sh", 10);
  processes.add(12, "gomacc", 11);
  processes.add(13, "gomacc", 10);
  processes.add(21, "gomacc", 20);
  CHECK(processes.of(12) == processes.of(13));
  CHECK(processes.of(12) != processes.of(21));
  std::string id = processes.of(12);
  REQUIRE(id.size() == 36);
  for (std::size_t i : {8, 13, 18, 23}) CHECK(id[i] == '-');
}

TEST_CASE("a number that another process has taken over is another build") {
  Processes processes;
  processes.add(10, "ninja", 1, "100");
  std::string before = processes.of(10);
  processes.add(10, "ninja", 1, "200");
  std::string after = processes.of(10);
  CHECK(before != after);
  processes.files.write("/proc/sys/kernel/random/boot_id", "another\n");
  CHECK(processes.of(10) != after);
}

TEST_CASE("make within make is one build, ninja within ninja is its own") {
  Processes processes;
  processes.add(10, "make", 1);
  processes.add(11, "sh", 10);
  processes.add(12, "make", 11);
  processes.add(13, "gomacc", 12);
  CHECK(processes.of(13) == processes.of(10));
  processes.add(20, "ninja", 10);
  processes.add(21, "gomacc", 20);
  CHECK(processes.of(21) == processes.of(20));
  CHECK(processes.of(21) != processes.of(10));
}

TEST_CASE("what is remembered of a shell holds for that shell alone") {
  Processes processes;
  processes.add(10, "ninja", 1);
  processes.add(11, "sh", 10, "110");
  processes.add(12, "gomacc", 11);
  processes.add(20, "ninja", 1);
  processes.add(21, "gomacc", 20);
  remote::BuildIds ids(processes.files);
  std::string first = ids.of({}, 12);
  CHECK(ids.of({}, 12) == first);
  // Number 11 is given to a shell of another ninja.
  processes.add(11, "sh", 20, "120");
  CHECK(ids.of({}, 12) != first);
  CHECK(ids.of({}, 12) == ids.of({}, 21));
}

TEST_CASE("a table full of shells forgets, and answers as before") {
  Processes processes;
  processes.add(10, "ninja", 1);
  remote::BuildIds ids(processes.files);
  for (int shell = 100; shell < 3000; ++shell) {
    processes.add(shell, "sh", 10);
    processes.add(shell + 10'000, "gomacc", shell);
    REQUIRE(ids.of({}, shell + 10'000) == ids.of({}, 10));
  }
}

TEST_CASE("without a build tool all compiles of a daemon are one build, and of two daemons two") {
  Processes processes;
  processes.add(10, "bash", 1);
  processes.add(11, "gomacc", 10);
  remote::BuildIds one(processes.files);
  remote::BuildIds other(processes.files);
  CHECK(one.of({}, 11) == one.of({}, 10));
  CHECK(one.of({}, 11) == one.of({}, 4711));
  CHECK(one.of({}, 11) != other.of({}, 11));
}

TEST_CASE("names with parentheses, loops and broken text do no harm") {
  Processes processes;
  processes.add(10, "ninja", 1);
  processes.add(11, "a) S 1 (b", 10);
  CHECK(processes.of(11) == processes.of(10));
  processes.add(20, "a", 21);
  processes.add(21, "b", 20);
  CHECK(processes.of(20).size() == 36);
  for (const char* text : {"", "30", "30 (x", "30 (x) S", ")30("}) {
    processes.files.write("/proc/30/stat", text);
    CHECK(processes.of(30).size() == 36);
  }
}

TEST_CASE("this very process is found in the real /proc") {
  remote::BuildIds ids(base::real_files());
  CHECK(ids.of({}, 1) == ids.of({}, 0));
}
