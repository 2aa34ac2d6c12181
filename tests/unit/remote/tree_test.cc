#include "remote/tree.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "wire/reapi.pb.h"

namespace reapi = build::bazel::remote::execution::v2;

namespace {

reapi::Directory directory_of(const remote::Blob& blob) {
  reapi::Directory directory;
  REQUIRE(directory.ParseFromString(blob.bytes));
  CHECK(base::digest_of(blob.bytes) == blob.digest);
  return directory;
}

}  // namespace

TEST_CASE("an empty tree is one empty message") {
  std::vector<remote::Blob> blobs = remote::Tree().finish();
  REQUIRE(blobs.size() == 1);
  CHECK(blobs[0].bytes == "");
}

TEST_CASE("nodes are sorted by their bytes, and so does not matter the order they were added in") {
  auto build = [](bool reversed) {
    remote::Tree tree;
    std::vector<std::string> names{"b.h", "B.h", "a-b", "a.h", "\xc3\xa9", "sub/x", "sub-/y"};
    if (reversed) std::reverse(names.begin(), names.end());
    for (const std::string& name : names) tree.add_file(name, base::digest_of(name), name == "B.h");
    tree.add_link("link", "a.h");
    tree.add_directory("empty");
    return tree.finish();
  };
  std::vector<remote::Blob> blobs = build(false);
  CHECK(blobs.back().digest == build(true).back().digest);
  reapi::Directory root = directory_of(blobs.back());
  std::vector<std::string> files;
  for (const auto& file : root.files()) files.push_back(file.name());
  CHECK(files == std::vector<std::string>{"B.h", "a-b", "a.h", "b.h", "\xc3\xa9"});
  CHECK(root.files(0).is_executable());
  CHECK(!root.files(1).is_executable());
  std::vector<std::string> folders;
  for (const auto& folder : root.directories()) folders.push_back(folder.name());
  CHECK(folders == std::vector<std::string>{"empty", "sub", "sub-"});
  REQUIRE(root.symlinks_size() == 1);
  CHECK(root.symlinks(0).target() == "a.h");
}

TEST_CASE("equal directories are one blob, children before parents, the root last") {
  remote::Tree tree;
  for (const char* path : {"a/x/f", "b/x/f", "c/f"}) tree.add_file(path, base::digest_of("f"), false);
  std::vector<remote::Blob> blobs = tree.finish();
  CHECK(blobs.size() == 3);
  reapi::Directory root = directory_of(blobs.back());
  REQUIRE(root.directories_size() == 3);
  CHECK(root.directories(0).digest().hash() == root.directories(1).digest().hash());
  CHECK(root.directories(2).digest().hash() == blobs[0].digest.hex());
}

TEST_CASE("a path given twice stands once") {
  remote::Tree tree;
  tree.add_file("a/f", base::digest_of("f"), false);
  tree.add_file("a/f", base::digest_of("f"), false);
  tree.add_directory("a");
  tree.add_directory("");
  CHECK(directory_of(tree.finish()[0]).files_size() == 1);
}
