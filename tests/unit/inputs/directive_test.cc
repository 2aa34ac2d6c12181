#include "inputs/directive.h"

#include <doctest/doctest.h>

#include <string>

#include "unit/inputs/read_text.h"

using inputs::DirectiveKind;

using fake::read_text;
using fake::vocabulary;

TEST_CASE("conditionals know the next one of their group") {
  auto list = read_text("#if A\n#ifdef B\n#endif\n#elif C\n#else\n#endif\n#define X\n");
  REQUIRE(list->items.size() == 7);
  CHECK(list->items[0].next == 3);
  CHECK(list->items[1].next == 2);
  CHECK(list->items[3].next == 4);
  CHECK(list->items[4].next == 5);
  CHECK((list->facts & inputs::kUnbalanced) == 0);
  CHECK((read_text("#if A\n")->facts & inputs::kUnbalanced) != 0);
  CHECK((read_text("#endif\n")->facts & inputs::kUnbalanced) != 0);
}

TEST_CASE("a plain defined() is an #ifdef") {
  CHECK(read_text("#if defined(A)\n#endif")->items[0].kind == DirectiveKind::ifdef);
  CHECK(read_text("#if !defined A\n#endif")->items[0].kind == DirectiveKind::ifndef);
  CHECK(read_text("#if defined(A) && B\n#endif")->items[0].kind == DirectiveKind::if_);
}

TEST_CASE("a guard is one that holds every directive of the file") {
  CHECK(read_text("// c\n#ifndef G\n#define G\n#endif\n")->guard == vocabulary().names.intern("G"));
  CHECK(read_text("#if !defined(G)\n#define G\n#endif\n")->guard == vocabulary().names.intern("G"));
  CHECK(read_text("#ifndef G\n#define G\n#endif\n#include <x>\n")->guard == inputs::kNoName);
  CHECK(read_text("#include <x>\n#ifndef G\n#endif\n")->guard == inputs::kNoName);
  CHECK(read_text("#ifndef G\n#else\n#endif\n")->guard == inputs::kNoName);
}

TEST_CASE("header names are literal or computed") {
  auto list = read_text(
      "#include <a b.h>\n#include \"c\\d.h\" junk\n#include M(x)\n#import <i>\n#include_next \"n\"\n");
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
  CHECK(read_text("#ifdef A\n#elifdef B\n#endif")->items.size() == 3);
  CHECK(read_text("#ifdef A\n#elifdef B\n#endif", mode)->items.size() == 2);
}

TEST_CASE("modules are told by the line's beginning") {
  CHECK((read_text("import <x>;\n")->facts & inputs::kTextModule) != 0);
  CHECK((read_text("export module a;\n")->facts & inputs::kTextModule) != 0);
  CHECK((read_text("import = 3; x import y;\nexport int f();\n")->facts & inputs::kTextModule) == 0);
  CHECK((read_text("@import Foo;\n")->facts & inputs::kTextObjcImport) != 0);
}

TEST_CASE("pragmas that change what is found are kept, others are not") {
  auto list =
      read_text("#pragma once\n#pragma push_macro(\"A\")\n#pragma GCC system_header\n#pragma pack(1)\n");
  REQUIRE(list->items.size() == 3);
  CHECK(list->items[1].id == vocabulary().names.intern("A"));
  CHECK((read_text("_Pragma(\"once\")\n")->facts & inputs::kTextPragma) != 0);
  CHECK((read_text("_Pragma(\"GCC diagnostic push\")\n")->facts & inputs::kTextPragma) == 0);
  CHECK((read_text("#pragma omp target teams\n")->facts & inputs::kTextOmpTarget) != 0);
}

TEST_CASE("line directives that name absolute files are kept") {
  auto list = read_text("#line 3 \"/abs/x.y\"\n# 4 \"rel.y\"\n# 5 \"/other\" 2\n");
  REQUIRE(list->items.size() == 2);
  CHECK(list->items[0].text == "/abs/x.y");
  CHECK(list->items[1].text == "/other");
}

TEST_CASE("trigraphs are read where the language has them") {
  inputs::LexMode mode;
  CHECK(read_text("?\?=define A\n", mode)->items.empty());
  mode.trigraphs = true;
  CHECK(read_text("?\?=define A ?\?/\n B\n", mode)->items.size() == 1);
}

TEST_CASE("raw strings are trouble only across lines of a directive and beside trigraphs") {
  inputs::LexMode mode;
  mode.raw_strings = mode.trigraphs = true;
  CHECK((read_text("x = R\"(\n)\";\n#define A R\"(b)\"\n", mode)->facts & inputs::kOddRawString) == 0);
  CHECK((read_text("#define A R\"(\n)\"\n", mode)->facts & inputs::kOddRawString) != 0);
  CHECK((read_text("x = R\"(a)\"; // ?\?=\n", mode)->facts & inputs::kOddRawString) != 0);
}

TEST_CASE("a trigraph that would join lines is told") {
  CHECK((read_text("/?\?/\n* c\n")->facts & inputs::kTrigraphSplice) != 0);
  CHECK((read_text("x ?\?/ y ?\?=\n")->facts & inputs::kTrigraphSplice) == 0);
}

TEST_CASE("assembler source tells the files that it names") {
  inputs::LexMode mode;
  mode.assembler = true;
  auto list = read_text(".incbin \"a.bin\", 4\n .include \"b.s\"\n.incbin \"\\f\"\n// .incbin \"c\"\n", mode);
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
  CHECK(read_text("\xef\xbb\xbf#define A\n")->items.size() == 1);
  CHECK((read_text(std::string_view("\xff\xfe#\0", 4))->facts & inputs::kWideText) != 0);
}
