#include "compiler/language.h"

#include <doctest/doctest.h>

namespace {

using compiler::Family;
using compiler::Language;

std::string language(const char* source, Family family = Family::gcc, bool cxx_driver = false) {
  base::Result<Language> found = compiler::language_of_source(source, family, cxx_driver);
  return found ? compiler::x_name(*found) : found.error().label();
}

}  // namespace

TEST_CASE("an extension tells the language") {
  CHECK(language("a.c") == "c");
  CHECK(language("a.C") == "c++");
  CHECK(language("a.b/x.cc") == "c++");
  CHECK(language("a.sx") == "assembler-with-cpp");
  CHECK(language("a.s") == "assembler");
  CHECK(language("a.M") == "objective-c++");
  CHECK(language("a.mi") == "objective-c-cpp-output");
  CHECK(language("a.CC", Family::gcc) == "unsupported_language");
  CHECK(language("a.CC", Family::clang) == "c++");
}

TEST_CASE("a C++ driver takes C for C++ and leaves the others alone") {
  CHECK(language("a.c", Family::gcc, true) == "c++");
  CHECK(language("a.i", Family::gcc, true) == "c++-cpp-output");
  CHECK(language("a.m", Family::gcc, true) == "objective-c");
  CHECK(language("a.s", Family::gcc, true) == "assembler");
}

TEST_CASE("headers are precompiled, and other languages are not ours") {
  for (const char* header : {"a.h", "a.hh", "a.hpp", "a.hxx", "a.H"})
    CHECK(language(header) == "pch_creation");
  CHECK(compiler::language_of_x("c++-header").error().label() == "pch_creation");
  CHECK(compiler::language_of_x("c++-user-header").error().label() == "pch_creation");
  for (const char* other : {"a.f90", "a.o", "a", "a.ll", "a.cppm"})
    CHECK(language(other) == "unsupported_language");
  CHECK(compiler::language_of_x("cuda").error().label() == "unsupported_language");
}
