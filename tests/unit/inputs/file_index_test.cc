#include "inputs/file_index.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/files.h"

namespace {

std::string make_root() {
  char name[] = "/tmp/goma-index-XXXXXX";
  return ::mkdtemp(name);
}

struct Tree {
  std::string root = make_root();
  std::string at(const std::string& name) const { return root + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    base::Result<base::Fd> fd = base::open_file(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    REQUIRE(fd.ok());
    REQUIRE(base::write_all(fd->get(), text).ok());
  }
  void mkdir(const std::string& name) const { REQUIRE(::mkdir(at(name).c_str(), 0755) == 0); }
  ~Tree() {
    std::string command = "rm -rf " + root;
    CHECK(std::system(command.c_str()) == 0);
  }
};

}  // namespace

TEST_CASE("a file that appears is found after a refresh") {
  Tree tree;
  inputs::FileIndex index(base::real_files(), base::real_clock());
  inputs::Trail trail;
  CHECK(index.find(tree.at("a.h"), trail).type == base::FileType::absent);
  inputs::Snapshot before = index.snapshot(trail);
  CHECK(index.valid(before));
  tree.write("a.h", "1");
  index.refresh();
  CHECK(!index.valid(before));
  inputs::Found found = index.find(tree.at("a.h"), trail);
  CHECK(found.type == base::FileType::regular);
  CHECK(index.digest(found.node).ok());
  CHECK(*index.digest(found.node) == base::digest_of("1"));
}
