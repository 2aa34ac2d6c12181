#include "compiler/flag_table.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using compiler::Does;
using compiler::Family;

Does does(const std::string& word, Family family = Family::gcc) {
  std::optional<compiler::Match> match = compiler::find_flag(word, family);
  return match ? match->flag->does : Does::refuse;
}

}  // namespace

TEST_CASE("the longest name wins") {
  CHECK(does("-MD") == Does::dep_all);
  CHECK(does("-MDx") == Does::refuse);
  CHECK(does("-Wp,-DX") == Does::for_preprocessor_list);
  CHECK(does("-Wall") == Does::nothing);
  CHECK(does("-gsplit-dwarf") == Does::split_dwarf);
  CHECK(does("-g3") == Does::debug);
  CHECK(does("-isysroot/x") == Does::header_sysroot);
  CHECK(does("-includex.h") == Does::include);
  CHECK(does("-include-pch", Family::clang) == Does::refuse);
  CHECK(does("-I-") == Does::refuse);
  CHECK(does("-I-x") == Does::angle_dir);
}

TEST_CASE("a value is joined or the next word") {
  std::optional<compiler::Match> joined = compiler::find_flag("-Iinc", Family::gcc);
  REQUIRE(joined);
  CHECK(joined->value_at == 2);
  CHECK(!joined->value_is_next);
  std::optional<compiler::Match> separate = compiler::find_flag("-I", Family::gcc);
  REQUIRE(separate);
  CHECK(separate->value_is_next);
  std::optional<compiler::Match> map = compiler::find_flag("-ffile-prefix-map=a=b", Family::gcc);
  REQUIRE(map);
  CHECK(map->value_at == 18);
  CHECK(!map->value_is_next);
}

TEST_CASE("a family has its own options") {
  CHECK(!compiler::find_flag("-ftime-trace", Family::gcc));
  CHECK(does("-ftime-trace", Family::clang) == Does::time_trace);
  CHECK(!compiler::find_flag("-Xclang", Family::gcc) == false);
  CHECK(does("-Xclang", Family::gcc) == Does::refuse);
  CHECK(!compiler::find_flag("-stdlib=libc++", Family::gcc));
  CHECK(does("-Fdir", Family::clang) == Does::framework_dir);
}

TEST_CASE("-fno- undoes what can be undone") {
  std::optional<compiler::Match> no = compiler::find_flag("-fno-stack-usage", Family::gcc);
  REQUIRE(no);
  CHECK(no->negated);
  CHECK(no->flag->does == Does::aux_output);
  CHECK(compiler::find_flag("-fno-exceptions", Family::gcc)->negated);
  CHECK(!compiler::find_flag("-fno-lto", Family::gcc)->negated);
  CHECK(!compiler::find_flag("-fno-such-thing", Family::gcc));
}

TEST_CASE("options that change predefined macros are part of the dialect, measured harmless ones are not") {
  for (const char* word : {"-O2",
                           "-std=c++20",
                           "-fPIC",
                           "-pthread",
                           "-m32",
                           "-march=x86-64-v3",
                           "-fno-exceptions",
                           "-fno-rtti",
                           "-ffast-math",
                           "-funsigned-char",
                           "-fshort-wchar",
                           "-fsanitize=address",
                           "-ffreestanding",
                           "-fopenmp",
                           "-pedantic",
                           "-undef",
                           "-nostdinc",
                           "-ansi",
                           "-fcoroutines",
                           "-fno-threadsafe-statics",
                           "-fno-sized-deallocation",
                           "-fstack-protector-strong",
                           "-fcf-protection=full",
                           "-fchar8_t",
                           "-fno-math-errno",
                           "-frounding-math",
                           "-g",
                           "-gdwarf-4",
                           "-Wno-deprecated",
                           "-fno-dwarf2-cfi-asm",
                           "-fleading-underscore",
                           "-ftree-parallelize-loops=4"}) {
    std::optional<compiler::Match> match = compiler::find_flag(word, Family::gcc);
    CAPTURE(word);
    REQUIRE(match);
    CHECK(match->flag->has(compiler::kDialect));
  }
  for (const char* word : {"-Wall",
                           "-w",
                           "-fvisibility=hidden",
                           "-ffunction-sections",
                           "-flto",
                           "-fno-strict-aliasing",
                           "-fwrapv",
                           "-fomit-frame-pointer",
                           "-fno-common",
                           "--coverage",
                           "-pipe",
                           "-fno-plt",
                           "-gsplit-dwarf",
                           "-fmacro-prefix-map=a=b",
                           "-ffp-contract=off",
                           "-MD",
                           "-c",
                           "-o",
                           "-DX",
                           "-Iinc",
                           "-fstack-usage"}) {
    std::optional<compiler::Match> match = compiler::find_flag(word, Family::gcc);
    CAPTURE(word);
    REQUIRE(match);
    CHECK(!match->flag->has(compiler::kDialect));
  }
}
