#include "task/outputs.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/temp_dir.h"

namespace {

struct stat status_of(const std::string& path) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  return status;
}

}  // namespace

TEST_CASE("files appear with their bytes, the user's umask and a fresh inode") {
  fake::TempDir dir;
  dir.write("a.o", "old");
  ino_t before = status_of(dir / "a.o").st_ino;
  int held = ::open((dir / "a.o").c_str(), 0);
  REQUIRE(task::commit({{dir / "a.d", "rule", false}, {dir / "a.o", "new", true}}, 027).ok());
  CHECK(dir.read("a.o") == "new");
  CHECK(dir.read("a.d") == "rule");
  CHECK((status_of(dir / "a.o").st_mode & 0777) == 0750);
  CHECK((status_of(dir / "a.d").st_mode & 0777) == 0640);
  CHECK(status_of(dir / "a.o").st_ino != before);
  ::close(held);
}

TEST_CASE("a umask of 777 gives an object of mode 0") {
  fake::TempDir dir;
  REQUIRE(task::commit({{dir / "a.o", "x", false}}, 0777).ok());
  CHECK((status_of(dir / "a.o").st_mode & 0777) == 0);
}

TEST_CASE("when one file cannot be written no file changes") {
  fake::TempDir dir;
  dir.write("a.o", "old");
  CHECK(!task::commit({{dir / "a.o", "new", false}, {dir / "none/b.o", "x", false}}, 022).ok());
  CHECK(dir.read("a.o") == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("only an absent or a regular file may be replaced") {
  fake::TempDir dir;
  dir.write("plain", "");
  REQUIRE(::symlink("plain", (dir / "link").c_str()) == 0);
  CHECK(task::unwritable({dir / "plain", dir / "none"}).empty());
  CHECK(task::unwritable({dir / "plain", dir / "link"}) == dir / "link");
  CHECK(task::unwritable({"/dev/null"}) == "/dev/null");
  CHECK(task::unwritable({dir.path()}) == dir.path());
}
