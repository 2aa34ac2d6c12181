#include "inputs/subtree.h"

#include <doctest/doctest.h>

using inputs::Subtree;
using inputs::SubtreePlace;
using inputs::SubtreeSet;
namespace {

std::unique_ptr<Subtree> subtree(std::uint32_t number) {
  auto made = std::make_unique<Subtree>();
  made->place.resolver = number;
  return made;
}

SubtreePlace place(std::uint32_t number) {
  SubtreePlace made;
  made.resolver = number;
  return made;
}

bool always(const Subtree&) { return true; }

}  // namespace

TEST_CASE("what is found is of this place and holds") {
  SubtreeSet set;
  CHECK(set.find(place(1), always) == nullptr);
  set.keep(subtree(1));
  set.keep(subtree(2));
  REQUIRE(set.find(place(1), always) != nullptr);
  CHECK(set.find(place(1), always)->place == place(1));
  CHECK(set.find(place(3), always) == nullptr);
  CHECK(set.find(place(2), [](const Subtree&) { return false; }) == nullptr);
  set.clear();
  CHECK(set.find(place(1), always) == nullptr);
}

TEST_CASE("places differ in each of their parts") {
  const SubtreePlace plain;
  auto differs = [&](auto change) {
    SubtreePlace other;
    change(other);
    return !(other == plain);
  };
  inputs::DirectiveList list;
  inputs::Prelude prelude;
  CHECK(differs([&](SubtreePlace& one) { one.prelude = &prelude; }));
  CHECK(differs([&](SubtreePlace& one) { one.list = &list; }));
  CHECK(differs([](SubtreePlace& one) { one.resolver = 1; }));
  CHECK(differs([](SubtreePlace& one) { one.directory = 1; }));
  CHECK(differs([](SubtreePlace& one) { one.search_index = 1; }));
  CHECK(differs([](SubtreePlace& one) { one.system = true; }));
  CHECK(differs([](SubtreePlace& one) { one.by_flag = true; }));
  CHECK_FALSE(differs([](SubtreePlace&) {}));
}

TEST_CASE("one of another version of the file makes way, one read in another way stays") {
  inputs::DirectiveList old_list;
  inputs::DirectiveList new_list;
  inputs::Prelude prelude;
  inputs::Prelude other;
  auto made_of = [](const inputs::Prelude& how, const inputs::DirectiveList& list, std::uint32_t number) {
    auto made = subtree(number);
    made->place.prelude = &how;
    made->place.list = &list;
    return made;
  };
  SubtreeSet set;
  CHECK(set.empty());
  set.keep(made_of(prelude, old_list, 1));
  set.keep(made_of(prelude, old_list, 2));
  set.keep(made_of(other, old_list, 3));
  const std::size_t each = subtree(1)->bytes();
  CHECK(set.keep(made_of(prelude, new_list, 4)) == 2 * each);
  CHECK(set.find(made_of(prelude, old_list, 1)->place, always) == nullptr);
  CHECK(set.find(made_of(other, old_list, 3)->place, always) != nullptr);
  CHECK(set.find(made_of(prelude, new_list, 4)->place, always) != nullptr);
  CHECK_FALSE(set.empty());
}

TEST_CASE("of too many the one that was of no use for longest goes") {
  SubtreeSet set;
  for (std::uint32_t i = 0; i < SubtreeSet::kMost; ++i) CHECK(set.keep(subtree(i)) == 0);
  CHECK(set.find(place(0), always) != nullptr);
  CHECK(set.keep(subtree(100)) == subtree(1)->bytes());
  CHECK(set.find(place(0), always) != nullptr);
  CHECK(set.find(place(1), always) == nullptr);
  CHECK(set.find(place(100), always) != nullptr);
}

TEST_CASE("the first walk is not recorded, nor many that are of no use") {
  SubtreeSet set;
  CHECK_FALSE(set.worth_recording());
  CHECK(set.worth_recording());
  int recorded = 0;
  for (int i = 0; i < 1000; ++i) {
    if (!set.worth_recording()) continue;
    ++recorded;
    if (i % 2 == 0) {
      set.keep(subtree(1));
    } else {
      set.decline();
    }
  }
  CHECK(recorded < 50);
  CHECK(recorded > 16);
  // Once one was taken records are made as before.
  CHECK(set.find(place(1), always) != nullptr);
  CHECK(set.worth_recording());
  CHECK(set.worth_recording());
}

TEST_CASE("it saves the steps of its walk and costs a look at each of its parts") {
  Subtree one;
  one.steps = 100;
  CHECK(one.gain() == 100);
  one.reads.resize(10);
  one.writes.resize(20);
  CHECK(one.gain() == 70);
  const std::size_t before = one.bytes();
  one.events.resize(2);
  CHECK(one.gain() < 70);
  CHECK(one.bytes() > before);
}
