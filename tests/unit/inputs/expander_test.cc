#include "inputs/expander.h"

#include <doctest/doctest.h>

#include <string>

#include "fake/expander_fixture.h"

namespace {

struct ExpanderFixture : fake::ExpanderFixture {
  inputs::Token expand_builtin(const inputs::Macro&, const inputs::Token& name,
                               inputs::Expander& one) override {
    return one.make_number(42, name);
  }
  // What `line` expands to, a blank where space is; or the failure.
  std::string expand(std::string_view line) {
    begin(line);
    std::string out;
    inputs::Token token;
    while (expander.next(token)) {
      if ((token.flags & inputs::kSpaceBefore) != 0 && !out.empty()) out += ' ';
      out += token.text;
    }
    return expander.failure() != nullptr ? std::string("!") + expander.failure() : out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(ExpanderFixture,
                  "a name is replaced until nothing is left to replace, but never within itself") {
  define("A B + A");
  define("B A");
  CHECK(expand("A") == "A + A");
  define("f(x) x f");
  CHECK(expand("f(1)(2)") == "1 f(2)");
}

TEST_CASE_FIXTURE(ExpanderFixture, "arguments are expanded before they are put in") {
  define("ID(x) x");
  define("X(x) x");
  define("Y99(x) x(99)");
  define("S_(x) #x");
  define("S(x) S_(x)");
  CHECK(expand("S(Y99(X))") == "\"99\"");
  CHECK(expand("S(Y99(X(X)))") == "\"X(99)\"");
  CHECK(expand("ID((a, b))") == "(a, b)");
}

TEST_CASE_FIXTURE(ExpanderFixture, "the example of the C standard comes out as it says") {
  define("x 3");
  define("f(a) f(x * (a))");
  define("z z[0]");
  define("g f");
  define("m(a) a(w)");
  define("w 0,1");
  define("t(a) a");
  define("p() int");
  define("q(x) x");
  CHECK(expand("g(x+(3,4)-w)") == "f(3 * (3+(3,4)-0,1))");
  CHECK(expand("t(t(g)(0) + t)(1);") == "f(3 * (0)) + t(1);");
  CHECK(expand("p() i[q()]") == "int i[]");
  CHECK(expand("m\n(f)") == "f(3 * (0,1))");
}

TEST_CASE_FIXTURE(ExpanderFixture, "names are glued unexpanded and the result is expanded") {
  define("CAT(a, b) a ## b");
  define("AB 7");
  define("A wrong");
  CHECK(expand("CAT(A, B)") == "7");
  CHECK(expand("CAT(, B) CAT(A,) CAT(,)") == "B wrong");
  CHECK(expand("CAT(1, 2)") == "12");
  CHECK(expand("CAT(+, -)") == "!macro_paste");
  mode.assembler = true;
  CHECK(expand("CAT(+, -)") == "+ -");
}

TEST_CASE_FIXTURE(ExpanderFixture, "strings are made with single blanks and escapes") {
  define("S(x...) #x");
  CHECK(expand("S( a   b,\"q\\n\" )") == "\"a b,\\\"q\\\\n\\\"\"");
}

TEST_CASE_FIXTURE(ExpanderFixture, "the rest of the arguments may be empty, and takes its comma with it") {
  define("E(f, ...) e(f, ## __VA_ARGS__)");
  CHECK(expand("E(1) E(1,2,3)") == "e(1) e(1,2,3)");
  define("O(f, ...) e(f __VA_OPT__(,) __VA_ARGS__)");
  CHECK(expand("O(1)") == "e(1)");
  CHECK(expand("O(1, 2)") == "e(1 , 2)");
  define("EMPTY");
  CHECK(expand("O(1, EMPTY)") == "e(1)");
}

TEST_CASE_FIXTURE(ExpanderFixture, "an expansion may be completed by what follows it") {
  define("EMPTY()");
  define("DEFER(m) m EMPTY()");
  define("H() done");
  define("E(...) __VA_ARGS__");
  CHECK(expand("E(DEFER(H)())") == "done");
  CHECK(expand("DEFER(H)()") == "H()");
  CHECK(expand("H x") == "H x");
}

TEST_CASE_FIXTURE(ExpanderFixture, "wrong numbers of arguments and endless ones fail") {
  define("F(a, b) a");
  CHECK(expand("F(1)") == "!macro_arguments");
  CHECK(expand("F(1, 2") == "!macro_arguments");
  CHECK(expand("F(1, 2)") == "1");
}

TEST_CASE_FIXTURE(ExpanderFixture, "arguments within arguments have a limit, without using up the stack") {
  define("I(x) x");
  std::string deep = "1";
  for (int i = 0; i < 500; ++i) deep = "I(" + deep + ")";
  CHECK(expand(deep) == "!macro_depth");
}

TEST_CASE_FIXTURE(ExpanderFixture, "an explosion is stopped") {
  define("D(x) x x");
  define("M0 D(1)");
  for (int i = 1; i < 40; ++i) {
    define("M" + std::to_string(i) + " D(M" + std::to_string(i - 1) + ")");
  }
  CHECK(expand("M39") == "!macro_size");
}
