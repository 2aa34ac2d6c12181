#include "inputs/identifiers.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using inputs::Id;
using inputs::Identifiers;

TEST_CASE("known names have their fixed numbers") {
  Identifiers names;
  CHECK(names.intern("defined") == inputs::kNameDefined);
  CHECK(names.intern("__has_include_next") == inputs::kNameHasIncludeNext);
  CHECK(names.intern("__TIMESTAMP__") == inputs::kNameTimestamp);
  CHECK(names.name(inputs::kNameCounter) == "__COUNTER__");
}

TEST_CASE("threads that intern the same names get the same numbers, each name one") {
  Identifiers names;
  constexpr int kNames = 5000;
  std::vector<std::vector<Id>> ids(4, std::vector<Id>(kNames));
  std::vector<std::thread> threads;
  for (auto& mine : ids) {
    threads.emplace_back([&] {
      for (int i = 0; i < kNames; ++i)
        mine[static_cast<std::size_t>(i)] = names.intern("n" + std::to_string(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : ids) CHECK(mine == ids[0]);
  for (int i = 0; i < kNames; i += 617) {
    CHECK(names.name(ids[0][static_cast<std::size_t>(i)]) == "n" + std::to_string(i));
  }
  CHECK(names.size() == inputs::kNameLimit + kNames);
}
