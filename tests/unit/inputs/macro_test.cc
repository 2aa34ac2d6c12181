#include "inputs/macro.h"

#include <doctest/doctest.h>

using inputs::LexMode;
using inputs::Macro;

namespace {

struct MacroFixture {
  inputs::Identifiers names;
  inputs::MacroStore store;
  const Macro* define(std::string_view text) { return store.define(text, LexMode(), false, names); }
};

}  // namespace

TEST_CASE_FIXTURE(MacroFixture, "equal definitions are one object") {
  CHECK(define("A 1") == define("A 1"));
  CHECK(define("A 1") != define("A 2"));
  CHECK(define("A(x) x") != define("A (x) x"));
}

TEST_CASE_FIXTURE(MacroFixture, "a parenthesis that touches the name begins parameters") {
  const Macro* function = define("F(a, b...) a b");
  REQUIRE(function != nullptr);
  CHECK(function->function_like);
  CHECK(function->variadic);
  CHECK(function->parameters.size() == 2);
  CHECK(function->replacement == "a b");
  CHECK_FALSE(define("O (a) a")->function_like);
  CHECK(define("V(...) x")->parameters.back() == inputs::kNameVaArgs);
}

TEST_CASE_FIXTURE(MacroFixture, "what is no definition is none") {
  CHECK(define("F(a") == nullptr);
  CHECK(define("F(a,) x") == nullptr);
  CHECK(define("F(..., a) x") == nullptr);
  CHECK(define("1 x") == nullptr);
}

TEST_CASE_FIXTURE(MacroFixture, "bodies tell what they mention, as whole words") {
  CHECK(define("D1 __DATE__ \" \" __TIME__")->mentions_time);
  CHECK_FALSE(define("D2 MY__DATE__X")->mentions_time);
  CHECK(define("C __COUNTER__")->mentions_counter);
  CHECK(define("P _Pragma(\"push_macro(\\\"X\\\")\")")->mentions_pragma);
  CHECK_FALSE(define("Q _Pragma(\"GCC diagnostic push\")")->mentions_pragma);
}

TEST_CASE_FIXTURE(MacroFixture, "a table forgets all when a new scan begins, and restores pushed macros") {
  inputs::MacroTable table;
  const Macro* one = define("A 1");
  const Macro* two = define("A 2");
  table.begin(names);
  table.set(one->name, one);
  table.push(one->name);
  table.set(one->name, two);
  CHECK(table.find(one->name) == two);
  table.pop(one->name);
  CHECK(table.find(one->name) == one);
  table.pop(one->name);
  CHECK(table.find(one->name) == one);
  table.begin(names);
  CHECK(table.find(one->name) == nullptr);
}
