#include "compiler/stamp.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "fake/fake_files.h"

TEST_CASE("a stamp holds until the file changes, goes or comes") {
  fake::FakeFiles files;
  files.write("/a", "1");
  std::vector<compiler::Stamp> stamps = {*compiler::stamp_of(files, "/a"),
                                         *compiler::stamp_of(files, "/absent")};
  CHECK(compiler::still_valid(files, stamps));
  files.write("/absent", "");
  CHECK(!compiler::still_valid(files, stamps));
  files.remove("/absent");
  CHECK(compiler::still_valid(files, stamps));
  files.write("/a", "2");
  CHECK(!compiler::still_valid(files, stamps));
  stamps = {*compiler::stamp_of(files, "/a")};
  files.remove("/a");
  CHECK(!compiler::still_valid(files, stamps));
}

TEST_CASE("a path that cannot be looked at is not valid") {
  fake::FakeFiles files;
  files.write("/a", "1");
  std::vector<compiler::Stamp> stamps = {*compiler::stamp_of(files, "/a")};
  files.fail("/a", EACCES);
  CHECK(!compiler::still_valid(files, stamps));
}

TEST_CASE("real_path follows links as the kernel does") {
  fake::FakeFiles files;
  files.write("/usr/lib/llvm/bin/clang", "");
  files.link("/usr/bin/clang++-14", "../lib/llvm/bin/clang++");
  files.link("/usr/lib/llvm/bin/clang++", "clang");
  files.link("/opt", "/usr/lib/llvm");
  CHECK(*compiler::real_path(files, "/usr/bin/clang++-14") == "/usr/lib/llvm/bin/clang");
  CHECK(*compiler::real_path(files, "/opt/../bin/./clang++-14") == "/usr/lib/bin/clang++-14");
  CHECK(*compiler::real_path(files, "/absent/x") == "/absent/x");
  CHECK(*compiler::real_path(files, "/") == "/");
  files.link("/loop", "loop");
  CHECK(!compiler::real_path(files, "/loop").ok());
}
