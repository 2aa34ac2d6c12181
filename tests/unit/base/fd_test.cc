#include "base/fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/temp_dir.h"

TEST_CASE("a file is written whole and read back") {
  fake::TempDir dir;
  std::string bytes(200'000, 'x');
  REQUIRE(base::write_file_atomic(dir / "a", bytes).ok());
  base::Result<std::string> read = base::read_file(dir / "a");
  REQUIRE(read.ok());
  CHECK(*read == bytes);
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("files without a size in advance are read to their end") {
  base::Result<std::string> status = base::read_file("/proc/self/status");
  REQUIRE(status.ok());
  CHECK(status->find("Pid:") != std::string::npos);
}

TEST_CASE("a file over the limit is refused") {
  fake::TempDir dir;
  dir.write("a", "12345");
  CHECK(base::read_file(dir / "a", 5).ok());
  CHECK(base::read_file(dir / "a", 4).error().kind == base::ErrorKind::invalid);
}

TEST_CASE("errors name the path") {
  base::Result<std::string> read = base::read_file("/nonexistent/file");
  REQUIRE(!read.ok());
  CHECK(read.error().message.find("/nonexistent/file") != std::string::npos);
  CHECK(!base::write_file_atomic("/nonexistent/file", "x").ok());
}

TEST_CASE("a full device is an error and leaves nothing") {
  base::Result<base::Fd> full = base::open_file("/dev/full", O_WRONLY);
  REQUIRE(full.ok());
  CHECK(!base::write_all(full->get(), "x").ok());
}

TEST_CASE("a descriptor is closed once, and is not inherited") {
  base::Fd second;
  int number;
  {
    base::Result<base::Fd> fd = base::open_file("/dev/null", O_RDONLY);
    REQUIRE(fd.ok());
    number = fd->get();
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    second = std::move(*fd);
    CHECK(!*fd);
  }
  CHECK(::fcntl(number, F_GETFD) >= 0);
  second.reset();
  CHECK(::fcntl(number, F_GETFD) < 0);
}

TEST_CASE("folders are made with those above them, and again without harm") {
  fake::TempDir dir;
  base::make_folders(dir / "a/b/c");
  base::make_folders(dir / "a/b/c");
  CHECK(std::filesystem::is_directory(dir / "a/b/c"));
}
