#include "compiler/command.h"

#include <doctest/doctest.h>

#include "compiler/language.h"

TEST_CASE("every language has a name that -x takes back") {
  for (int i = 0; i <= static_cast<int>(compiler::Language::objcxx_preprocessed); ++i) {
    auto language = static_cast<compiler::Language>(i);
    base::Result<compiler::Language> back = compiler::language_of_x(compiler::x_name(language));
    REQUIRE(back.ok());
    CHECK(*back == language);
  }
}

TEST_CASE("which languages are C++, and which need no preprocessing") {
  using compiler::Language;
  CHECK(compiler::is_cxx(Language::objcxx_preprocessed));
  CHECK(!compiler::is_cxx(Language::objc));
  CHECK(!compiler::is_cxx(Language::assembler_cpp));
  CHECK(compiler::is_preprocessed(Language::assembler));
  CHECK(compiler::is_preprocessed(Language::cxx_preprocessed));
  CHECK(!compiler::is_preprocessed(Language::assembler_cpp));
  CHECK(!compiler::is_preprocessed(Language::objcxx));
}
