#include "inputs/text_facts.h"

#include <doctest/doctest.h>

#include <string>

#include "unit/inputs/read_text.h"

using fake::read_text;

TEST_CASE("facts are those of text, not of comments") {
  CHECK((read_text("// .incbin \"x\"\n")->facts & inputs::kTextIncbin) == 0);
  CHECK((read_text("asm(\".incbin \\\"x\\\"\");\n")->facts & inputs::kTextIncbin) != 0);
  CHECK((read_text("asm(\".include \\\"x\\\"\");\n")->facts & inputs::kTextIncbin) != 0);
  CHECK((read_text("a.include(b); x.includes;\n")->facts & inputs::kTextIncbin) == 0);
  CHECK((read_text("#include \"x/.include\"\n#error .include \"x\"\n")->facts & inputs::kTextIncbin) == 0);
  CHECK((read_text("asm(\".INCBIN \\\"x\\\"\");\n")->facts & inputs::kTextIncbin) != 0);
  CHECK((read_text("#define P(s, f) asm(\"\" #s \".include \\\"\" f)\n")->facts & inputs::kTextIncbin) != 0);
  CHECK((read_text("#define PULL .Include\n")->facts & inputs::kTextIncbin) != 0);
  CHECK((read_text("#pragma message(__DATE__)\n")->facts & inputs::kTextTime) != 0);
  CHECK((read_text("# ident __TIME__\n")->facts & inputs::kTextTime) != 0);
  CHECK((read_text("#if __TIME__\n#include __TIME__\n#endif\n")->facts & inputs::kTextTime) == 0);
  CHECK((read_text("/* __DATE__ */ \n#define D __DATE__\n")->facts & inputs::kTextTime) == 0);
  CHECK((read_text("#define D __DATE__\n")->facts & inputs::kTimeMacro) != 0);
  CHECK((read_text("x = __DATE__;\n")->facts & inputs::kTextTime) != 0);
  CHECK((read_text("x = __TIMESTAMP__;\n")->facts & inputs::kTextTimestamp) != 0);
  CHECK((read_text("x = __COUNTER__;\n")->facts & inputs::kTextCounter) != 0);
  CHECK((read_text("#if __COUNTER__\n#endif\n")->facts & inputs::kTextCounter) == 0);
}

TEST_CASE("what a preprocessor would hide from the assembler is told") {
  inputs::LexMode mode;
  mode.assembler = true;
  CHECK((read_text("nop # a/*.b\n.incbin \"x\"\n", mode)->facts & inputs::kHiddenIncbin) != 0);
  CHECK((read_text("# joined \\\n.incbin \"x\"\n", mode)->facts & inputs::kHiddenIncbin) != 0);
  CHECK((read_text(".incbin \"x\"\n", mode)->facts & inputs::kHiddenIncbin) == 0);
  CHECK((read_text("/* .incbin */\n")->facts & inputs::kHiddenIncbin) == 0);
}

TEST_CASE("words that the assembler takes are found in any case") {
  CHECK(inputs::names_assembler_file("-DX=.IncBin"));
  CHECK(inputs::names_assembler_file(".INCLUDE \"x\""));
  CHECK(inputs::names_assembler_file("\"incbin\""));
  CHECK_FALSE(inputs::names_assembler_file("HAVE_INCBIN INCBIN(Icon)"));
  CHECK(inputs::names_assembler_file("HAVE_INCBIN .INCBIN"));
  CHECK_FALSE(inputs::names_assembler_file("#include <x> inc bin"));
  CHECK_FALSE(inputs::names_assembler_file(""));
}

TEST_CASE("few directives show their words") {
  for (const char* text : {"#pragma message(X)", "# ident X", "%:sccs X"}) CHECK(inputs::shows_words(text));
  for (const char* text : {"#define X", "#", "#if X", "#error X"}) CHECK_FALSE(inputs::shows_words(text));
}
