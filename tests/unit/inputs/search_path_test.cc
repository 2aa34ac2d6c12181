#include "inputs/search_path.h"

#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

namespace {

struct SearchPathFixture {
  fake::ScanFixture scan;
  explicit SearchPathFixture(compiler::Family family = compiler::Family::gcc) : scan(family) {
    for (const char* dir : {"/w/a", "/w/b", "/w/c", "/usr/include"}) scan.files.make_directory(dir);
    scan.dialect.directories = {{"/usr/include", false}};
  }
  // The directories, those for quotes alone before a bar, "!" behind system ones; or the label.
  std::string path() {
    inputs::Trail trail;
    inputs::NodeId cwd = scan.index.find("/w", trail).node;
    auto made = inputs::make_search_path(scan.command, scan.dialect, scan.env, scan.index, cwd, trail);
    if (!made) return made.error().label();
    std::string out;
    for (std::size_t i = 0; i < made->directories.size(); ++i) {
      if (i == made->angle_begin) out += "| ";
      out += made->directories[i].name + (made->directories[i].system ? "! " : " ");
    }
    return out;
  }
};

struct ClangFixture : SearchPathFixture {
  ClangFixture() : SearchPathFixture(compiler::Family::clang) {}
};

}  // namespace

TEST_CASE_FIXTURE(SearchPathFixture, "kinds of directories come in their order") {
  scan.search(compiler::SearchDir::Kind::after, "c");
  scan.search(compiler::SearchDir::Kind::system, "b");
  scan.search(compiler::SearchDir::Kind::angle, "./a");
  scan.search(compiler::SearchDir::Kind::quote, "q");
  scan.files.make_directory("/w/q");
  CHECK(path() == "q | ./a b! /usr/include! c! ");
}

TEST_CASE_FIXTURE(SearchPathFixture, "directories that are missing or no directories are left out") {
  scan.files.write("/w/file", "");
  scan.angle("none");
  scan.angle("file");
  scan.angle("a");
  CHECK(path() == "| a /usr/include! ");
}

TEST_CASE_FIXTURE(SearchPathFixture, "gcc: the first of equal directories stays, but a system one wins") {
  scan.files.link("/w/alias", "a");
  scan.angle("a");
  scan.angle("b");
  scan.angle("alias");
  CHECK(path() == "| a b /usr/include! ");
  scan.search(compiler::SearchDir::Kind::system, "./a");
  CHECK(path() == "| b ./a! /usr/include! ");
  scan.search(compiler::SearchDir::Kind::quote, "a");
  CHECK(path() == "| b ./a! /usr/include! ");
}

TEST_CASE_FIXTURE(SearchPathFixture, "gcc: a quote directory that heads the next chain goes, another stays") {
  scan.search(compiler::SearchDir::Kind::quote, "a");
  scan.angle("a");
  CHECK(path() == "| a /usr/include! ");
  scan.search(compiler::SearchDir::Kind::quote, "b");
  CHECK(path() == "a b | a /usr/include! ");
}

TEST_CASE_FIXTURE(ClangFixture, "clang: quote directories are compared among themselves alone") {
  scan.search(compiler::SearchDir::Kind::quote, "a");
  scan.angle("a/");
  scan.search(compiler::SearchDir::Kind::system, "a");
  scan.angle("b");
  CHECK(path() == "a | b a! /usr/include! ");
}

TEST_CASE_FIXTURE(ClangFixture, "clang: a file in place of a directory may be a header map") {
  scan.files.write("/w/x.hmap", "pamh");
  scan.angle("x.hmap");
  CHECK(path() == "header_map");
}

TEST_CASE_FIXTURE(SearchPathFixture, "frameworks are refused") {
  scan.search(compiler::SearchDir::Kind::framework, "a");
  CHECK(path() == "frameworks");
}

TEST_CASE_FIXTURE(SearchPathFixture, "directories of CPATH are the user's") {
  scan.env = {"CPATH=/w/a:/w/b"};
  scan.dialect.directories = {{"/w/a", false}, {"/w/b", false}, {"/usr/include", false}};
  CHECK(path() == "| /w/a /w/b /usr/include! ");
}
