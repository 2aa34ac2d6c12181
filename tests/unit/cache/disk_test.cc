#include "cache/disk.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "fake/temp_dir.h"

namespace fs = std::filesystem;

namespace {

struct DiskFixture {
  fake::TempDir dir;
  cache::Disk& disk = cache::real_disk();
  std::string at(const std::string& name) const { return dir.path() + "/" + name; }
};

}  // namespace

TEST_CASE("a file is made once, read-only, and read with its stamp") {
  DiskFixture f;
  REQUIRE(f.disk.create(f.at("x"), "bytes"));
  CHECK(!f.disk.create(f.at("x"), "other"));
  struct stat status;
  REQUIRE(::stat(f.at("x").c_str(), &status) == 0);
  CHECK((status.st_mode & 0222) == 0);
  REQUIRE(f.disk.touch(f.at("x"), 1'500'000'000'123'456'789));
  base::Result<cache::Content> content = f.disk.read(f.at("x"));
  REQUIRE(content);
  CHECK(content->bytes == "bytes");
  CHECK(content->mtime_ns == 1'500'000'000'123'456'789);
  CHECK(*f.disk.read_end(f.at("x"), 3) == "tes");
  CHECK(*f.disk.read_end(f.at("x"), 30) == "bytes");
  CHECK(f.disk.exists(f.at("x")));
  REQUIRE(f.disk.remove(f.at("x")));
  CHECK(!f.disk.exists(f.at("x")));
}

TEST_CASE("what is not there is told from what cannot be had") {
  DiskFixture f;
  CHECK(f.disk.read(f.at("x")).error().kind == base::ErrorKind::transient);
  CHECK(f.disk.read(f.at("no/x")).error().kind == base::ErrorKind::transient);
  CHECK(f.disk.list(f.at("no")).error().kind == base::ErrorKind::transient);
  CHECK(f.disk.remove(f.at("x")).error().kind == base::ErrorKind::transient);
  CHECK(f.disk.create(f.at("no/x"), "").error().kind == base::ErrorKind::transient);
  CHECK(f.disk.read(f.dir.path()).error().kind == base::ErrorKind::invalid);
  fs::create_symlink("/etc/passwd", f.at("link"));
  CHECK(f.disk.read(f.at("link")).error().kind == base::ErrorKind::io);
}

TEST_CASE("a copy holds what was hashed, from the start of the original") {
  DiskFixture f;
  std::string bytes;
  for (int i = 0; i < 700'000; ++i) bytes += static_cast<char>(i * 7 >> 2);
  REQUIRE(base::write_file_atomic(f.at("source"), bytes));
  base::Result<base::Fd> from = base::open_file(f.at("source"), O_RDONLY);
  ::lseek(from->get(), 77, SEEK_SET);
  base::Hasher hasher;
  base::Result<base::Fd> to = f.disk.create_copy(f.at("copy"), from->get(), hasher);
  REQUIRE(to);
  CHECK(hasher.finish() == base::digest_of(bytes));
  REQUIRE(f.disk.append(to->get(), "end"));
  CHECK(f.disk.read(f.at("copy"))->bytes == bytes + "end");
  base::Hasher again;
  CHECK(!f.disk.create_copy(f.at("copy"), from->get(), again));
}

TEST_CASE("directories are made with their parents, for the user alone") {
  DiskFixture f;
  REQUIRE(f.disk.make_directory(f.at("a/b/c")));
  REQUIRE(f.disk.make_directory(f.at("a/b/c")));
  struct stat status;
  REQUIRE(::stat(f.at("a/b").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  REQUIRE(f.disk.create(f.at("file"), ""));
  CHECK(!f.disk.make_directory(f.at("file")));
  CHECK(!f.disk.make_directory(f.at("file/x")));
}

TEST_CASE("a listing shows files and directories") {
  DiskFixture f;
  REQUIRE(f.disk.create(f.at("file"), "12345"));
  REQUIRE(f.disk.make_directory(f.at("dir")));
  fs::create_symlink("file", f.at("link"));
  base::Result<std::vector<cache::Listed>> entries = f.disk.list(f.dir.path());
  REQUIRE(entries);
  REQUIRE(entries->size() == 2);
  for (const cache::Listed& entry : *entries) {
    CHECK(entry.directory == (entry.name == "dir"));
    if (!entry.directory) CHECK(entry.size == 5);
  }
}
