// A real directory tree that a test changes as a user or a build would. Each function is what a shell command
// of the same name does; a failure fails the test.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "fake/temp_dir.h"

namespace fake {

class FileTree {
 public:
  // The absolute path of `name`.
  std::string at(const std::string& name) const { return dir_.path() + "/" + name; }
  const std::string& root() const { return dir_.path(); }

  // Writes in place; the directory must be there.
  void write(const std::string& name, std::string_view text) { put(name, text, O_CREAT | O_TRUNC); }
  void append(const std::string& name, std::string_view text) { put(name, text, O_APPEND); }
  void mkdir(const std::string& name) { REQUIRE(std::filesystem::create_directories(at(name))); }
  void remove(const std::string& name) { REQUIRE(std::filesystem::remove_all(at(name)) > 0); }
  void rename(const std::string& from, const std::string& to) {
    REQUIRE(::rename(at(from).c_str(), at(to).c_str()) == 0);
  }
  void link(const std::string& from, const std::string& to) {
    REQUIRE(::link(at(from).c_str(), at(to).c_str()) == 0);
  }
  // `target` as it is: relative to the link's directory, or absolute.
  void symlink(const std::string& target, const std::string& name) {
    REQUIRE(::symlink(target.c_str(), at(name).c_str()) == 0);
  }
  void chmod(const std::string& name, unsigned mode) { REQUIRE(::chmod(at(name).c_str(), mode) == 0); }
  // Sets the mtime; the ctime cannot be set.
  void touch(const std::string& name, long seconds) {
    const timeval times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimes(at(name).c_str(), times) == 0);
  }

 private:
  void put(const std::string& name, std::string_view text, int flags) {
    base::Result<base::Fd> fd = base::open_file(at(name), O_WRONLY | flags, 0644);
    REQUIRE(fd.ok());
    REQUIRE(base::write_all(fd->get(), text).ok());
  }

  TempDir dir_;
};

}  // namespace fake
