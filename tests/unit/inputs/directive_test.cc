#include "inputs/directive.h"

#include <doctest/doctest.h>

#include <string>

using inputs::DirectiveKind;

namespace {

inputs::Vocabulary& vocabulary() {
  static inputs::Vocabulary one;
  return one;
}

std::shared_ptr<const inputs::DirectiveList> read(std::string_view text, inputs::LexMode mode = {}) {
  return inputs::read_directives(text, mode, vocabulary());
}

}  // namespace

TEST_CASE("conditionals know the next one of their group") {
  auto list = read("#if A\n#ifdef B\n#endif\n#elif C\n#else\n#endif\n#define X\n");
  REQUIRE(list->items.size() == 7);
  CHECK(list->items[0].next == 3);
  CHECK(list->items[1].next == 2);
  CHECK(list->items[3].next == 4);
  CHECK(list->items[4].next == 5);
  CHECK((list->facts & inputs::kUnbalanced) == 0);
  CHECK((read("#if A\n")->facts & inputs::kUnbalanced) != 0);
  CHECK((read("#endif\n")->facts & inputs::kUnbalanced) != 0);
}

TEST_CASE("a plain defined() is an #ifdef") {
  CHECK(read("#if defined(A)\n#endif")->items[0].kind == DirectiveKind::ifdef);
  CHECK(read("#if !defined A\n#endif")->items[0].kind == DirectiveKind::ifndef);
  CHECK(read("#if defined(A) && B\n#endif")->items[0].kind == DirectiveKind::if_);
}

TEST_CASE("a guard is one that holds every directive of the file") {
  CHECK(read("// c\n#ifndef G\n#define G\n#endif\n")->guard == vocabulary().names.intern("G"));
  CHECK(read("#if !defined(G)\n#define G\n#endif\n")->guard == vocabulary().names.intern("G"));
  CHECK(read("#ifndef G\n#define G\n#endif\n#include <x>\n")->guard == inputs::kNoName);
  CHECK(read("#include <x>\n#ifndef G\n#endif\n")->guard == inputs::kNoName);
  CHECK(read("#ifndef G\n#else\n#endif\n")->guard == inputs::kNoName);
}

TEST_CASE("header names are literal or computed") {
  auto list =
      read("#include <a b.h>\n#include \"c\\d.h\" junk\n#include M(x)\n#import <i>\n#include_next \"n\"\n");
  REQUIRE(list->items.size() == 5);
  CHECK(list->items[0].text == "a b.h");
  CHECK(list->items[0].angled);
  CHECK(list->items[1].text == "c\\d.h");
  CHECK(list->items[2].id == inputs::kNoName);
  CHECK(list->items[2].token_count == 4);
  CHECK(list->items[3].kind == DirectiveKind::import);
  CHECK(list->items[4].kind == DirectiveKind::include_next);
}

TEST_CASE("#elifdef counts only where the language has it") {
  inputs::LexMode mode;
  mode.elifdef = false;
  CHECK(read("#ifdef A\n#elifdef B\n#endif")->items.size() == 3);
  CHECK(read("#ifdef A\n#elifdef B\n#endif", mode)->items.size() == 2);
}

TEST_CASE("modules are told by the line's beginning") {
  CHECK((read("import <x>;\n")->facts & inputs::kTextModule) != 0);
  CHECK((read("export module a;\n")->facts & inputs::kTextModule) != 0);
  CHECK((read("import = 3; x import y;\nexport int f();\n")->facts & inputs::kTextModule) == 0);
  CHECK((read("@import Foo;\n")->facts & inputs::kTextObjcImport) != 0);
}

TEST_CASE("pragmas that change what is found are kept, others are not") {
  auto list = read("#pragma once\n#pragma push_macro(\"A\")\n#pragma GCC system_header\n#pragma pack(1)\n");
  REQUIRE(list->items.size() == 3);
  CHECK(list->items[1].id == vocabulary().names.intern("A"));
  CHECK((read("_Pragma(\"once\")\n")->facts & inputs::kTextPragma) != 0);
  CHECK((read("_Pragma(\"GCC diagnostic push\")\n")->facts & inputs::kTextPragma) == 0);
  CHECK((read("#pragma omp target teams\n")->facts & inputs::kTextOmpTarget) != 0);
}

TEST_CASE("line directives that name absolute files are kept") {
  auto list = read("#line 3 \"/abs/x.y\"\n# 4 \"rel.y\"\n# 5 \"/other\" 2\n");
  REQUIRE(list->items.size() == 2);
  CHECK(list->items[0].text == "/abs/x.y");
  CHECK(list->items[1].text == "/other");
}

TEST_CASE("trigraphs are read where the language has them") {
  inputs::LexMode mode;
  CHECK(read("?\?=define A\n", mode)->items.empty());
  mode.trigraphs = true;
  CHECK(read("?\?=define A ?\?/\n B\n", mode)->items.size() == 1);
}

TEST_CASE("raw strings are trouble only across lines of a directive and beside trigraphs") {
  inputs::LexMode mode;
  mode.raw_strings = mode.trigraphs = true;
  CHECK((read("x = R\"(\n)\";\n#define A R\"(b)\"\n", mode)->facts & inputs::kOddRawString) == 0);
  CHECK((read("#define A R\"(\n)\"\n", mode)->facts & inputs::kOddRawString) != 0);
  CHECK((read("x = R\"(a)\"; // ?\?=\n", mode)->facts & inputs::kOddRawString) != 0);
}

TEST_CASE("a trigraph that would join lines is told") {
  CHECK((read("/?\?/\n* c\n")->facts & inputs::kTrigraphSplice) != 0);
  CHECK((read("x ?\?/ y ?\?=\n")->facts & inputs::kTrigraphSplice) == 0);
}

TEST_CASE("assembler source tells the files that it names") {
  inputs::LexMode mode;
  mode.assembler = true;
  auto list = read(".incbin \"a.bin\", 4\n .include \"b.s\"\n.incbin \"\\f\"\n// .incbin \"c\"\n", mode);
  REQUIRE(list->assembler_files.size() == 3);
  int literal = 0;
  for (const inputs::AssemblerFile& file : list->assembler_files) {
    literal += file.name == "a.bin" && !file.source;
    literal += file.name == "b.s" && file.source;
    literal += file.name.empty();
  }
  CHECK(literal == 3);
}

TEST_CASE("text names are those outside of comments and directives") {
  auto names = inputs::read_text_names("#define A B\n// C\nint D = E(1, \"F\");\n", inputs::LexMode());
  CHECK(*names == std::vector<std::string>{"D", "E", "F", "int"});
}

TEST_CASE("a byte order mark is skipped, and wide text is told") {
  CHECK(read("\xef\xbb\xbf#define A\n")->items.size() == 1);
  CHECK((read(std::string_view("\xff\xfe#\0", 4))->facts & inputs::kWideText) != 0);
}
