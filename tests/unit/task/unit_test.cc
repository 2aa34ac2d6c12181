#include "task/unit.h"

#include <doctest/doctest.h>

namespace {

base::Digest key(int number) { return base::digest_of(std::to_string(number)); }

std::shared_ptr<task::Unit> unit(const std::string& source) {
  auto made = std::make_shared<task::Unit>();
  made->source = source;
  return made;
}

}  // namespace

TEST_CASE("the least recently used unit is forgotten first") {
  task::UnitMemo memo(2);
  memo.put(key(1), unit("one"));
  memo.put(key(2), unit("two"));
  REQUIRE(memo.find(key(1)) != nullptr);
  memo.put(key(3), unit("three"));
  CHECK(memo.size() == 2);
  CHECK(memo.find(key(2)) == nullptr);
  CHECK(memo.find(key(1))->source == "one");
  CHECK(memo.find(key(3))->source == "three");
}

TEST_CASE("a unit is replaced and erased") {
  task::UnitMemo memo;
  memo.put(key(1), unit("one"));
  memo.put(key(1), unit("other"));
  CHECK(memo.size() == 1);
  CHECK(memo.find(key(1))->source == "other");
  memo.erase(key(1));
  memo.erase(key(1));
  CHECK(memo.find(key(1)) == nullptr);
}
