#include "inputs/prelude.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

inputs::Vocabulary& prelude_vocabulary() {
  static inputs::Vocabulary one;
  return one;
}

std::shared_ptr<const inputs::Prelude> prelude_of(compiler::Family family, compiler::Language language,
                                                  std::string predefined,
                                                  std::vector<std::string> args = {}) {
  compiler::Command command;
  command.family = family;
  command.language = language;
  for (std::string& arg : args) command.args.push_back({std::move(arg)});
  compiler::Dialect dialect;
  dialect.id = 1;
  dialect.predefined = std::move(predefined);
  dialect.builtin_names = {"__has_builtin", "_Pragma"};
  return inputs::make_prelude(command, dialect, prelude_vocabulary());
}

using compiler::Family;
using compiler::Language;

}  // namespace

TEST_CASE("the way of reading follows the standard in force") {
  auto cxx17 = prelude_of(Family::gcc, Language::cxx, "#define __GNUC__ 12\n#define __cplusplus 201703L\n");
  CHECK(cxx17->mode.raw_strings);
  CHECK(cxx17->mode.digit_separators);
  CHECK_FALSE(cxx17->mode.trigraphs);
  CHECK(cxx17->mode.elifdef);
  CHECK(cxx17->rules.named_operators);
  CHECK(cxx17->language.gcc_major == 12);

  auto strict11 =
      prelude_of(Family::gcc, Language::cxx, "#define __STRICT_ANSI__ 1\n#define __cplusplus 201103L\n");
  CHECK(strict11->mode.trigraphs);
  CHECK_FALSE(strict11->mode.elifdef);
  CHECK_FALSE(strict11->mode.digit_separators);

  auto gnu11 = prelude_of(Family::gcc, Language::c, "#define __STDC_VERSION__ 201112L\n");
  CHECK(gnu11->mode.raw_strings);
  CHECK_FALSE(gnu11->rules.true_is_one);
  auto clang11 = prelude_of(Family::clang, Language::c,
                            "#define __clang_major__ 14\n#define __STDC_VERSION__ 201112L\n");
  CHECK_FALSE(clang11->mode.raw_strings);
  CHECK(clang11->mode.elifdef);

  auto c89 = prelude_of(Family::gcc, Language::c, "#define __STRICT_ANSI__ 1\n");
  CHECK(c89->mode.strict_c89);
  CHECK_FALSE(c89->mode.digraphs);
}

TEST_CASE("flags override the standard") {
  const std::string gnu = "#define __cplusplus 201703L\n";
  CHECK(prelude_of(Family::gcc, Language::cxx, gnu, {"-trigraphs"})->mode.trigraphs);
  CHECK_FALSE(prelude_of(Family::gcc, Language::cxx, gnu, {"-fno-operator-names"})->rules.named_operators);
}

TEST_CASE("true is 1 in the C23 of compilers that have it") {
  auto c23 = [](Family family, const char* major) {
    return prelude_of(family, Language::c, std::string(major) + "#define __STDC_VERSION__ 202000L\n")
        ->rules.true_is_one;
  };
  CHECK_FALSE(c23(Family::gcc, "#define __GNUC__ 12\n"));
  CHECK(c23(Family::gcc, "#define __GNUC__ 13\n"));
  CHECK_FALSE(c23(Family::clang, "#define __clang_major__ 14\n"));
  CHECK(c23(Family::clang, "#define __clang_major__ 19\n"));
}

TEST_CASE("predefined and built-in macros are there, _Pragma is no macro") {
  auto prelude = prelude_of(Family::gcc, Language::cxx, "#define __cplusplus 201703L\n#define A(x) x\n");
  auto has = [&](std::string_view name) {
    inputs::Id id = prelude_vocabulary().names.intern(name);
    return std::any_of(prelude->macros.begin(), prelude->macros.end(),
                       [&](const inputs::Macro* macro) { return macro->name == id; });
  };
  CHECK(has("A"));
  CHECK(has("__FILE__"));
  CHECK(has("__has_builtin"));
  CHECK_FALSE(has("_Pragma"));
}
