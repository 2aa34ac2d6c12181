#include "inputs/condition_memo.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "fake/expander_fixture.h"
#include "fake/scan_fixture.h"

using fake::ScanFixture;
using Value = inputs::ConditionMemo::Value;

namespace {

struct ConditionMemoFixture : fake::ExpanderFixture {
  inputs::ExpressionRules rules;
  inputs::ConditionMemo memo;

  inputs::Token expand_builtin(const inputs::Macro&, const inputs::Token& name,
                               inputs::Expander& by) override {
    return by.make_number(1, name);
  }
  // Evaluates and keeps; false when there is nothing to keep.
  bool learn(std::string_view text, inputs::Id condition) {
    begin(text);
    base::Result<bool> result = inputs::evaluate(expander, rules);
    if (!result || !expander.repeatable()) return false;
    memo.keep(condition, rules, expander, *result);
    return true;
  }
  Value find(inputs::Id condition) { return memo.find(condition, rules, table); }
};

// A header that is read with one set of macros after another, each time by a line of the source; what it
// includes each time tells what its condition came out as.
struct Repeated : ScanFixture {
  void header(const std::string& condition) {
    files.write("/w/h.h", "#if " + condition + "\n#include \"yes.h\"\n#else\n#include \"no.h\"\n#endif\n");
    // Each inclusion goes by another name, or the depfile would tell of the first one alone.
    files.write("/w/yes.h", "#undef RESULT\n#define RESULT 1\n");
    files.write("/w/no.h", "#undef RESULT\n");
    for (char c : std::string("abcd")) files.write(std::string("/w/") + c + ".h", "");
  }
  // The letters of those inclusions for which the condition held.
  std::string holds(const std::vector<std::string>& before) {
    std::string source;
    char letter = 'a';
    for (const std::string& text : before) {
      source += text + "\n#include \"h.h\"\n#ifdef RESULT\n#include \"" + letter + ".h\"\n#endif\n";
      ++letter;
    }
    files.write("/w/main.cc", source);
    std::string out;
    std::string names = " " + listed() + " ";
    if (names.find("refused") != std::string::npos) return names;
    for (char c : std::string("abcd")) {
      if (names.find(std::string(" ") + c + ".h ") != std::string::npos) out += c;
    }
    return out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(ConditionMemoFixture, "a value is known while each macro that was looked at stands") {
  define("A 1");
  CHECK(find(7) == Value::unknown);
  REQUIRE(learn("A && !B", 7));
  CHECK(find(7) == Value::holds);
  CHECK(find(8) == Value::unknown);
  define("A 2");
  CHECK(find(7) == Value::unknown);
  define("A 1");
  CHECK(find(7) == Value::holds);
  define("B 1");
  CHECK(find(7) == Value::unknown);
  REQUIRE(learn("A && !B", 7));
  CHECK(find(7) == Value::fails);
  undefine("A");
  CHECK(find(7) == Value::unknown);
}

TEST_CASE_FIXTURE(ConditionMemoFixture, "macros within macros, arguments and pasted names are looked at") {
  define("F(x) G(x)");
  define("G(x) (x + P##_NAME + HIDDEN)");
  define("H(x) defined(USE_##x)");
  REQUIRE(learn("F(ARG) > 0 || H(IT)", 3));
  CHECK(find(3) == Value::fails);
  for (const char* name : {"ARG", "P_NAME", "HIDDEN", "USE_IT"}) {
    CAPTURE(name);
    define(name);
    CHECK(find(3) == Value::unknown);
    undefine(name);
    CHECK(find(3) == Value::fails);
  }
  define("G(x) 1");
  CHECK(find(3) == Value::unknown);
}

TEST_CASE_FIXTURE(ConditionMemoFixture, "the rules of the language are part of the question") {
  REQUIRE(learn("true", 3));
  CHECK(find(3) == Value::fails);
  rules.true_is_one = true;
  CHECK(find(3) == Value::unknown);
}

TEST_CASE_FIXTURE(ConditionMemoFixture, "builtins, failures and what looks at many macros are not kept") {
  const inputs::Id name = vocabulary.names.intern("__LINE__");
  table.set(name, vocabulary.macros.builtin(name, inputs::Builtin::line));
  CHECK_FALSE(learn("__LINE__", 3));
  define("L __LINE__");
  CHECK_FALSE(learn("0 && L", 3));
  CHECK_FALSE(learn("1 / 0", 3));
  std::string many = "0";
  for (std::size_t i = 0; i < inputs::Expander::kMaxLooks; ++i) many += " || N" + std::to_string(i);
  CHECK(learn(many, 4));
  CHECK(find(4) == Value::fails);
  CHECK_FALSE(learn(many + " || M", 5));
  // To ask whether a builtin is defined is no use of it.
  CHECK(learn("defined __LINE__", 6));
  CHECK(find(6) == Value::holds);
}

TEST_CASE_FIXTURE(ConditionMemoFixture, "what does not fit makes room, and never gives another's value") {
  define("A 1");
  constexpr inputs::Id kMany = 40'000;
  for (inputs::Id i = 1; i <= kMany; ++i) REQUIRE(learn(i % 3 == 0 ? "A" : "A && B", i));
  int known = 0;
  for (inputs::Id i = 1; i <= kMany; ++i) {
    const Value value = find(i);
    if (value == Value::unknown) continue;
    ++known;
    CHECK(value == (i % 3 == 0 ? Value::holds : Value::fails));
  }
  CHECK(known > 1000);
  CHECK(known <= 16384);
}

TEST_CASE_FIXTURE(Repeated, "a header that is read with other macros takes the other branch") {
  header("M > 1");
  CHECK(holds({"", "#define M 2", "#undef M\n#define M 1", "#undef M\n#define M 2"}) == "bd");
  CHECK(holds({"#define M 2", "#undef M"}) == "a");
}

TEST_CASE_FIXTURE(Repeated, "a macro that is met only in another's expansion counts") {
  header("OUTER(ARG)");
  CHECK(holds({"#define OUTER(x) (x + INNER)", "#define INNER 1", "#undef INNER\n#define ARG ANOTHER",
               "#define ANOTHER 3"}) == "bd");
}

TEST_CASE_FIXTURE(Repeated, "a function-like name that gets its arguments later counts") {
  header("NAME (2) == 2");
  CHECK(holds({"#define NAME F\n#define F(x) x", "#undef F\n#define F(x) 0", "#undef F\n#define F(x) x"}) ==
        "ac");
}

TEST_CASE_FIXTURE(Repeated, "pushed and popped macros count") {
  header("M");
  CHECK(holds({"#define M 1", "#pragma push_macro(\"M\")\n#undef M", "#pragma pop_macro(\"M\")"}) == "ac");
}

TEST_CASE_FIXTURE(Repeated, "two compiles with other flags do not share a value") {
  header("M + 0");
  CHECK(holds({""}).empty());
  command.macros = {{false, "M"}};
  CHECK(holds({""}) == "a");
  command.macros = {{false, "M=0"}};
  CHECK(holds({""}).empty());
  command.macros = {{false, "M=2"}};
  CHECK(holds({""}) == "a");
}

TEST_CASE_FIXTURE(Repeated, "what is counted is counted each time") {
  header("__COUNTER__ % 2");
  CHECK(holds({"", "", "", ""}) == "bd");
  CHECK(holds({"", "", "", ""}) == "bd");
}

TEST_CASE_FIXTURE(ScanFixture, "equal conditions on other lines and levels differ in what depends on those") {
  files.write("/w/main.cc",
              "#if __LINE__ == 1\n#include \"a.h\"\n#endif\n#if __LINE__ == 1\n#include \"b.h\"\n#endif\n"
              "#if __INCLUDE_LEVEL__\n#include \"c.h\"\n#endif\n#include \"d.h\"\n");
  files.write("/w/d.h", "#if __INCLUDE_LEVEL__\n#include \"e.h\"\n#endif\n");
  for (const char* name : {"/w/a.h", "/w/b.h", "/w/c.h", "/w/e.h"}) files.write(name, "");
  CHECK(listed() == "main.cc a.h d.h e.h");
  CHECK(listed() == "main.cc a.h d.h e.h");
}

TEST_CASE_FIXTURE(ScanFixture, "equal questions for a file are asked in each directory, and again later") {
  const std::string question =
      "#define IF(x) __has_include(x)\n#if IF(\"it.h\")\n#include \"it.h\"\n#endif\n";
  files.write("/w/main.cc", question + "#include \"sub/a.h\"\n");
  files.write("/w/sub/a.h", question);
  files.write("/w/sub/it.h", "");
  CHECK(listed() == "main.cc sub/a.h sub/it.h");
  files.write("/w/it.h", "");
  CHECK(listed() == "main.cc it.h sub/a.h sub/it.h");
}

TEST_CASE_FIXTURE(ScanFixture, "a condition in a language that reads it differently has a value of its own") {
  files.write("/w/main.cc", "#if true\n#include \"a.h\"\n#endif\n");
  files.write("/w/a.h", "");
  CHECK(listed() == "main.cc a.h");
  command.language = compiler::Language::c;
  dialect.id = 2;
  dialect.predefined = "#define __GNUC__ 12\n#define __STDC_VERSION__ 201710L\n";
  CHECK(listed() == "main.cc");
}

TEST_CASE_FIXTURE(ScanFixture, "a file that was changed is judged by its new conditions") {
  files.write("/w/main.cc", "#define M 1\n#include \"a.h\"\n");
  files.write("/w/a.h", "#if M == 1\n#include \"b.h\"\n#endif\n");
  files.write("/w/b.h", "");
  CHECK(listed() == "main.cc a.h b.h");
  files.write("/w/a.h", "#if M == 2\n#include \"b.h\"\n#endif\n");
  CHECK(listed() == "main.cc a.h");
}
