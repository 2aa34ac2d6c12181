#include "inputs/lists.h"

#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

namespace {

struct ListsFixture {
  fake::ScanFixture scan;
  inputs::Trail trail;
  inputs::NodeId node(const std::string& path) { return scan.index.find(path, trail).node; }
};

}  // namespace

TEST_CASE_FIXTURE(ListsFixture, "a file is read once for each way of reading") {
  scan.files.write("/w/a.h", "#ifdef A\n#elifdef B\n#endif\n");
  inputs::LexMode plain;
  inputs::LexMode old;
  old.elifdef = false;
  auto first = scan.lists.of(node("/w/a.h"), plain);
  auto again = scan.lists.of(node("/w/a.h"), plain);
  auto other = scan.lists.of(node("/w/a.h"), old);
  REQUIRE(first);
  REQUIRE(other);
  CHECK(first->get() == again->get());
  CHECK((*first)->items.size() == 3);
  CHECK((*other)->items.size() == 2);
}

TEST_CASE_FIXTURE(ListsFixture, "a changed file gets a new list") {
  scan.files.write("/w/a.h", "#define A\n");
  CHECK((*scan.lists.of(node("/w/a.h"), {}))->items.size() == 1);
  scan.files.write("/w/a.h", "#define A\n#define B\n");
  scan.index.refresh();
  CHECK((*scan.lists.of(node("/w/a.h"), {}))->items.size() == 2);
}

TEST_CASE_FIXTURE(ListsFixture, "a file that cannot be read is an error") {
  scan.files.write("/w/a.h", "");
  scan.files.fail("/w/a.h", 13);
  CHECK_FALSE(scan.lists.of(node("/w/a.h"), {}));
}

TEST_CASE_FIXTURE(ListsFixture, "answers are known only once they were asked for") {
  CHECK_FALSE(scan.answers.known(scan.dialect, "__has_builtin(x)"));
}
