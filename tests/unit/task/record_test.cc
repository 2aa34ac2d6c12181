#include "task/record.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

TEST_CASE("every phase has a word of its own") {
  std::set<std::string> words;
  for (std::size_t i = 0; i < task::kPhases; ++i) words.insert(to_string(static_cast<task::Phase>(i)));
  CHECK(words.size() == task::kPhases);
  CHECK(words.count("unknown") == 0);
  CHECK(to_string(task::Phase::slot_wait) == std::string("slot_wait"));
}

TEST_CASE("every result has a word of its own") {
  std::set<std::string> words;
  for (int i = 0; i <= static_cast<int>(task::Result::cancelled); ++i) {
    words.insert(to_string(static_cast<task::Result>(i)));
  }
  CHECK(words.size() == 8);
  CHECK(words.count("unknown") == 0);
}
