#include <doctest/doctest.h>

#include <random>

#include "remote/action.h"

namespace {

const remote::Roots kRoots{"/home/me/proj", "/proc/self/cwd/../.."};
const std::string kU = "/proc/self/cwd/../..";

}  // namespace

TEST_CASE("the root becomes its alias where it is a whole path prefix") {
  auto alias = [](const std::string& text) { return remote::to_alias(text, kRoots); };
  CHECK(alias("/home/me/proj/a.c:1:2: error") == kU + "/a.c:1:2: error");
  CHECK(alias("In file included from /home/me/proj/a.h,") == "In file included from " + kU + "/a.h,");
  CHECK(alias("'/home/me/proj'") == "'" + kU + "'");
  CHECK(alias("/home/me/proj") == kU);
  CHECK(alias("/home/me/proj.") == kU + ".");
  CHECK(alias("/home/me/proj: no") == kU + ": no");
  CHECK(alias("/home/me/proj2/a.c") == "/home/me/proj2/a.c");
  CHECK(alias("/home/me/proj.old/a.c") == "/home/me/proj.old/a.c");
  CHECK(alias("/home/me/proj-2") == "/home/me/proj-2");
  CHECK(alias("/mnt/home/me/proj/a.c") == "/mnt/home/me/proj/a.c");
  CHECK(alias("x/home/me/proj/a.c") == "x/home/me/proj/a.c");
  CHECK(alias("a.o: /home/me/proj/a.c \\\n /home/me/proj/b.h") == "a.o: " + kU + "/a.c \\\n " + kU + "/b.h");
  CHECK(alias("") == "");
}

TEST_CASE("an escape sequence for colour does not hide a path") {
  CHECK(remote::to_alias("\x1b[01m\x1b[K/home/me/proj/a.c:1:\x1b[m\x1b[K", kRoots) ==
        "\x1b[01m\x1b[K" + kU + "/a.c:1:\x1b[m\x1b[K");
  CHECK(remote::to_alias("\x1b[1;31m/home/me/proj\x1b[0m", kRoots) == "\x1b[1;31m" + kU + "\x1b[0m");
  CHECK(remote::to_alias("[K/home/me/proj/a", kRoots) == "[K/home/me/proj/a");
}

TEST_CASE("the alias becomes the root again, of another checkout too") {
  const remote::Roots other{"/w", kU};
  CHECK(remote::from_alias(kU + "/a.c:1: and " + kU + "/b", other) == "/w/a.c:1: and /w/b");
  CHECK(remote::from_alias("/proc/self/cwd/../../../x", other) == "/w/../x");
  CHECK(remote::from_alias("/proc/self/cwd/../..x", other) == "/proc/self/cwd/../..x");
  CHECK(remote::from_alias("/proc/self/cwd/..", other) == "/proc/self/cwd/..");
}

TEST_CASE("there and back again") {
  std::mt19937 random(2);
  const std::string pieces[] = {"/home/me/proj", "/", "a", ".", "\x1b[K", " ", "\n", ":", "/home", "-", "'"};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (unsigned i = random() % 8; i > 0; --i) text += pieces[random() % std::size(pieces)];
    CHECK(remote::from_alias(remote::to_alias(text, kRoots), kRoots) == text);
  }
}

TEST_CASE("without an alias text stays") {
  CHECK(remote::to_alias("/home/me/proj", {"/home/me/proj", ""}) == "/home/me/proj");
  CHECK(remote::from_alias("x", {"", ""}) == "x");
}
