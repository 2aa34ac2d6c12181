#include "inputs/expression.h"

#include <doctest/doctest.h>

#include <string>

#include "fake/expander_fixture.h"

namespace {

struct ExpressionFixture : fake::ExpanderFixture {
  inputs::ExpressionRules rules;

  ExpressionFixture() { mode.digit_separators = true; }
  inputs::Token expand_builtin(const inputs::Macro&, const inputs::Token& name, inputs::Expander&) override {
    return name;
  }
  // 1, 0, or -1 for an error.
  int value(std::string_view text) {
    begin(text);
    base::Result<bool> result = inputs::evaluate(expander, rules);
    return result ? (*result ? 1 : 0) : -1;
  }
};

}  // namespace

TEST_CASE_FIXTURE(ExpressionFixture, "operators bind as in C") {
  CHECK(value("1 + 2 * 3 == 7") == 1);
  CHECK(value("(1 + 2) * 3 == 9 && !0") == 1);
  CHECK(value("1 << 2 + 1 == 8") == 1);
  CHECK(value("10 - 3 - 2 == 5") == 1);
  CHECK(value("1 | 2 ^ 3 & 4") == 1);
  CHECK(value("-1 < 0") == 1);
  CHECK(value("- -1 == 1 && ~0 == -1") == 1);
  CHECK(value("(2 || 1) != 1") == 0);
}

TEST_CASE_FIXTURE(ExpressionFixture, "the conditional operator nests to the right and promotes") {
  CHECK(value("1 ? 0 : 1") == 0);
  CHECK(value("0 ? 0 : 0 ? 0 : 1") == 1);
  CHECK(value("1 ? 1 ? 0 : 1 : 1") == 0);
  CHECK(value("(1 ? -1 : 0u) > 0") == 1);
  CHECK(value("1 ? 2") == -1);
}

TEST_CASE_FIXTURE(ExpressionFixture, "arithmetic is in intmax_t or uintmax_t") {
  CHECK(value("-1 < 0u") == 0);
  CHECK(value("0x7fffffffffffffff + 1 < 0") == 1);
  CHECK(value("9223372036854775807L < 18446744073709551615UL") == 1);
  CHECK(value("0xffffffffffffffff > 0") == 1);
  CHECK(value("18446744073709551616 > 0") == -1);
  CHECK(value("-9223372036854775807 - 1 < 0 && (-9223372036854775807 - 1) / -1 < 0") == 1);
  CHECK(value("-7 / 2 == -3 && -7 % 2 == -1") == 1);
  CHECK(value("-8 >> 1 == -4 && 1 << 63 < 0 && 1 << 64 == 0") == 1);
}

TEST_CASE_FIXTURE(ExpressionFixture, "literals come in all bases") {
  CHECK(value("0x10 == 16 && 010 == 8 && 0b101 == 5 && 1'000 == 1000") == 1);
  CHECK(value("10ULL == 10lu && 10uLL == 10") == 1);
  CHECK(value("1.0") == -1);
  CHECK(value("08") == -1);
  CHECK(value("'a' == 97 && '\\n' == 10 && '\\x41' == 'A' && '\\101' == 'A' && L'a' == 97") == 1);
  CHECK(value("'ab' == 24930") == 1);
  CHECK(value("'\\377' < 0") == 1);
  rules.unsigned_char = true;
  CHECK(value("'\\377' < 0") == 0);
}

TEST_CASE_FIXTURE(ExpressionFixture, "what is not evaluated may divide by zero") {
  CHECK(value("0 && 1 / 0") == 0);
  CHECK(value("1 || 1 % 0") == 1);
  CHECK(value("1 ? 1 : 1 / 0") == 1);
  CHECK(value("0 ? 1 / 0 : 1") == 1);
  CHECK(value("1 && 1 / 0") == -1);
  CHECK(value("(1 || 0) && 1 / 0") == -1);
}

TEST_CASE_FIXTURE(ExpressionFixture, "defined looks at the name itself, also when a macro makes it") {
  define("YES 1");
  define("USE_A 1");
  define("USE(a) (defined(USE_##a) && USE_##a)");
  CHECK(value("defined YES && defined(YES) && !defined NO") == 1);
  CHECK(value("USE(A)") == 1);
  CHECK(value("USE(B)") == 0);
  CHECK(value("defined") == -1);
  CHECK(value("defined(YES") == -1);
}

TEST_CASE_FIXTURE(ExpressionFixture, "names are 0, and words are operators only in C++") {
  CHECK(value("nothing") == 0);
  CHECK(value("true") == 0);
  CHECK(value("not + 1") == 1);
  rules.named_operators = rules.true_is_one = true;
  CHECK(value("true and not false") == 1);
  CHECK(value("1 xor 1") == 0);
  CHECK(value("compl 0 == -1 and 1 bitor 0 and 1 not_eq 2") == 1);
}

TEST_CASE_FIXTURE(ExpressionFixture, "what is no expression is an error") {
  for (const char* text : {"", "1 1", "1 +", "(1", "1)", "()", "\"s\"", "= 1", "f(1)", "1 ? 2 : "}) {
    CAPTURE(text);
    CHECK(value(text) == -1);
  }
  CHECK(value(std::string(300, '(') + "1" + std::string(300, ')')) == -1);
  CHECK(value(std::string(100, '(') + "1" + std::string(100, ')')) == 1);
}
