#include "base/path.h"

#include <doctest/doctest.h>

TEST_CASE("join puts a relative path below a directory and leaves an absolute one alone") {
  CHECK(base::join("/a", "b/c") == "/a/b/c");
  CHECK(base::join("/", "b") == "/b");
  CHECK(base::join("/a/", "b") == "/a/b");
  CHECK(base::join("/a", "/b") == "/b");
  CHECK(base::join("", "b") == "b");
  CHECK(base::join("/a", "") == "/a");
}

TEST_CASE("the parts of a path") {
  CHECK(base::base_name("a/b.cc") == "b.cc");
  CHECK(base::base_name("a/") == "");
  CHECK(base::directory_name("/b.cc") == "/");
  CHECK(base::directory_name("a/b.cc") == "a");
  CHECK(base::directory_name("b.cc") == "");
  CHECK(base::stem("a/b.tar.gz") == "b.tar");
  CHECK(base::stem("a/.x") == ".x");
  CHECK(base::extension("a.d/b") == "");
  CHECK(base::extension("a/b.tar.gz") == ".gz");
}

TEST_CASE("is_below compares whole components") {
  CHECK(base::is_below("/a/b", "/a"));
  CHECK(base::is_below("/a", "/a"));
  CHECK(!base::is_below("/ab", "/a"));
  CHECK(base::is_below("/x", "/"));
  CHECK(!base::is_below("x", "/"));
}

TEST_CASE("normal_form removes what has no meaning") {
  CHECK(base::normal_form("/a//b/./c/../d") == "/a/b/d");
  CHECK(base::normal_form("/../a") == "/a");
  CHECK(base::normal_form("../a/..") == "..");
  CHECK(base::normal_form("a/..") == ".");
  CHECK(base::normal_form("") == ".");
}

TEST_CASE("a path as seen from a folder") {
  CHECK(base::relative_path("/a/b/c", "/a/b") == "c");
  CHECK(base::relative_path("/a/c", "/a/b") == "../c");
  CHECK(base::relative_path("/a/bc", "/a/b") == "../bc");
  CHECK(base::relative_path("/a", "/a/b/c") == "../..");
  CHECK(base::relative_path("/x/y", "/a") == "../x/y");
  CHECK(base::relative_path("/a", "/a") == ".");
  CHECK(base::relative_path("/a/b", "/") == "a/b");
  CHECK(base::relative_path("/", "/a/b") == "../..");
}
