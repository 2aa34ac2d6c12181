#include "base/files.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

#include "fake/temp_dir.h"

using base::FileType;

TEST_CASE("stat follows links, lstat does not, and what is missing is absent") {
  fake::TempDir dir;
  dir.write("file", "abc");
  REQUIRE(::symlink("file", (dir / "link").c_str()) == 0);
  base::Files& files = base::real_files();
  CHECK(files.stat(dir / "link")->type == FileType::regular);
  CHECK(files.stat(dir / "link")->size == 3);
  CHECK(files.lstat(dir / "link")->type == FileType::symlink);
  CHECK(*files.read_link(dir / "link") == "file");
  CHECK(files.stat(dir / "none")->type == FileType::absent);
  CHECK(files.stat(dir / "file/below")->type == FileType::absent);
  CHECK(files.stat(dir.path())->type == FileType::directory);
  CHECK(files.stat("/dev/null")->type == FileType::other);
}

TEST_CASE("a loop of links and a name too long are errors") {
  fake::TempDir dir;
  REQUIRE(::symlink("loop", (dir / "loop").c_str()) == 0);
  CHECK(!base::real_files().stat(dir / "loop").ok());
  CHECK(!base::real_files().stat(dir / std::string(300, 'x')).ok());
}

TEST_CASE("a listing has every entry but the two dots") {
  fake::TempDir dir;
  dir.write("b", "");
  dir.write("sub/c", "");
  base::Result<std::vector<base::DirEntry>> entries = base::real_files().list(dir.path());
  REQUIRE(entries.ok());
  std::sort(entries->begin(), entries->end(), [](auto& x, auto& y) { return x.name < y.name; });
  REQUIRE(entries->size() == 2);
  CHECK((*entries)[0].name == "b");
  CHECK((*entries)[1].name == "sub");
  CHECK(!base::real_files().list(dir / "none").ok());
}

TEST_CASE("times tell one version from the next") {
  fake::TempDir dir;
  dir.write("a", "1");
  base::FileStat first = *base::real_files().stat(dir / "a");
  ::unlink((dir / "a").c_str());
  dir.write("a", "12");
  CHECK(!(first == *base::real_files().stat(dir / "a")));
  CHECK(first.mtime_ns > 1'500'000'000LL * 1'000'000'000LL);
}
