#include "compiler/forwarded.h"

#include <doctest/doctest.h>

namespace {

compiler::Draft draft_of(compiler::Family family) {
  compiler::Draft draft;
  draft.command.family = family;
  return draft;
}

std::string clang_words(std::vector<std::string> words) {
  compiler::Draft draft = draft_of(compiler::Family::clang);
  draft.clang_words = std::move(words);
  base::Result<void> done = compiler::apply_clang_words(draft);
  if (!done) return done.error().label();
  return draft.command.traits.portable ? "portable" : "absolute";
}

std::string assembler_words(const std::vector<std::string>& words,
                            compiler::Family family = compiler::Family::gcc) {
  compiler::Draft draft = draft_of(family);
  base::Result<void> done = compiler::apply_assembler_words(draft, words);
  if (!done) return done.error().label();
  return draft.command.traits.portable ? "portable" : "absolute";
}

}  // namespace

TEST_CASE("commas separate, empty words stay") {
  CHECK(compiler::split_commas("a,,b") == std::vector<std::string>{"a", "", "b"});
  CHECK(compiler::split_commas("") == std::vector<std::string>{""});
}

TEST_CASE("the preprocessor's words reach macros, search path and forced includes") {
  compiler::Draft draft = draft_of(compiler::Family::gcc);
  draft.preprocessor_words = {"-DA", "-U", "B", "-I", "inc", "-isystem", "sys", "-include", "x.h"};
  REQUIRE(compiler::apply_preprocessor_words(draft).ok());
  REQUIRE(draft.command.macros.size() == 2);
  CHECK(draft.command.macros[1].text == "B");
  REQUIRE(draft.command.search.size() == 2);
  CHECK(draft.command.search[1].path == "sys");
  CHECK(draft.command.forced.at(0).name == "x.h");
  CHECK(!draft.command.traits.portable);
}

TEST_CASE("other words for the preprocessor are refused") {
  for (const char* word : {"-fplugin=x", "-O2", "file", "-unknown", "-D"}) {
    compiler::Draft draft = draft_of(compiler::Family::gcc);
    draft.preprocessor_words = {word};
    CAPTURE(word);
    CHECK(compiler::apply_preprocessor_words(draft).error().label() == "preprocessor_flag");
  }
}

TEST_CASE("words for clang itself") {
  CHECK(clang_words({"-DX", "-UY"}) == "portable");
  CHECK(clang_words({"-fdebug-compilation-dir", "."}) == "absolute");
  CHECK(clang_words({"-fno-pch-timestamp"}) == "absolute");
  CHECK(clang_words({"-load", "x.so"}) == "clang_flag");
  CHECK(clang_words({"-add-plugin", "find-bad"}) == "clang_flag");
  CHECK(clang_words({"-fmodule-map-file=x"}) == "clang_flag");
  CHECK(clang_words({"-fnew=x"}) == "clang_flag");
  CHECK(clang_words({"-dependency-file", "x.d"}) == "clang_flag");
  CHECK(clang_words({"-include-pch", "x.pch"}) == "clang_flag");
  CHECK(clang_words({"-o", "x"}) == "clang_flag");
  CHECK(clang_words({"-mllvm", "-inline-threshold=100"}) == "absolute");
}

TEST_CASE("LLVM's options are taken unless they could name a file") {
  compiler::Draft draft = draft_of(compiler::Family::clang);
  CHECK(compiler::apply_llvm_word(draft, "-instcombine-lower-dbg-declare=0").ok());
  CHECK(!draft.command.traits.portable);
  for (const char* word : {"-info-output-file=x", "-pass-remarks-output=x", "-x=a/b", "-x=a.yaml", "-stats",
                           "-print-after-all", "-time-passes", "-view-cfg", "word"}) {
    CAPTURE(word);
    CHECK(!compiler::apply_llvm_word(draft, word).ok());
  }
}

TEST_CASE("words for the assembler") {
  CHECK(assembler_words({"--noexecstack"}) == "portable");
  CHECK(assembler_words({"-mrelax-relocations=no", "--compress-debug-sections=zlib"}) == "portable");
  CHECK(assembler_words({"--defsym", "X=1"}) == "absolute");
  CHECK(assembler_words({"-aln=x.lst"}) == "absolute");
  CHECK(assembler_words({"-a=x", "-al=y"}) == "assembler_flag");
  CHECK(assembler_words({"-aln=x.lst"}, compiler::Family::clang) == "assembler_flag");
  CHECK(assembler_words({"@as.rsp"}) == "assembler_flag");
  CHECK(assembler_words({"-I", "dir"}) == "assembler_flag");
  CHECK(assembler_words({"-Idir"}) == "assembler_flag");
  CHECK(assembler_words({"--MD", "x.d"}) == "assembler_flag");
  CHECK(assembler_words({"-o", "x"}) == "assembler_flag");
  compiler::Draft draft = draft_of(compiler::Family::clang);
  REQUIRE(compiler::apply_assembler_words(draft, {"-g"}).ok());
  CHECK(draft.command.traits.debug_info);
}
