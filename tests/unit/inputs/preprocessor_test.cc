#include "inputs/preprocessor.h"

#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

using fake::ScanFixture;

TEST_CASE_FIXTURE(ScanFixture, "the branch that holds is taken, and only that") {
  files.write("/w/main.cc",
              "#if A == 1\n#include \"no.h\"\n#elif A == 2\n#include \"two.h\"\n#elif B /\n#else\n"
              "#include \"no.h\"\n#endif\n#ifndef A\n#elif 1\n#else\n#endif\n#include \"end.h\"\n");
  files.write("/w/two.h", "");
  files.write("/w/end.h", "");
  command.macros = {{false, "A=2"}};
  CHECK(listed() == "main.cc two.h end.h");
}

TEST_CASE_FIXTURE(ScanFixture, "macros of the command line are defined and undefined in order") {
  files.write("/w/main.cc", "#ifdef X\n#include \"x.h\"\n#endif\n#include F(a)\n");
  files.write("/w/a.h", "");
  files.write("/w/x.h", "");
  command.macros = {{false, "X"}, {true, "X"}, {false, "F(n)=<n.h>"}};
  angle(".");
  CHECK(listed() == "main.cc a.h");
  command.macros.push_back({false, "X=1"});
  CHECK(listed() == "main.cc x.h a.h");
}

TEST_CASE_FIXTURE(ScanFixture, "imacros go before the predefined include, and that before includes") {
  for (const char* name : {"/w/i.h", "/w/m.h", "/w/main.cc", "/s/stdc-predef.h"}) files.write(name, "");
  dialect.directories = {{"/s", false}};
  dialect.includes_stdc_predef = true;
  command.forced = {{"i.h", false}, {"m.h", true}};
  CHECK(listed() == "main.cc m.h /s/stdc-predef.h i.h");
}

TEST_CASE_FIXTURE(ScanFixture, "a header is read again unless a guard or once forbids it") {
  files.write("/w/main.cc",
              "#include \"step.h\"\n#include \"step.h\"\n#include \"once.h\"\n#include \"once.h\"\n");
  files.write("/w/step.h", "#ifndef ST\n#define ST\n#include \"s1.h\"\n#else\n#include \"s2.h\"\n#endif\n");
  files.write("/w/once.h", "#pragma once\n#ifdef T\n#include \"no.h\"\n#endif\n#define T\n");
  files.write("/w/s1.h", "");
  files.write("/w/s2.h", "");
  CHECK(listed() == "main.cc step.h s1.h s2.h once.h");
}

TEST_CASE_FIXTURE(ScanFixture, "pushed macros come back") {
  files.write("/w/main.cc",
              "#define A 1\n#pragma push_macro(\"A\")\n#undef A\n#pragma pop_macro(\"A\")\n"
              "#if A\n#include \"a.h\"\n#endif\n");
  files.write("/w/a.h", "");
  CHECK(listed() == "main.cc a.h");
}

TEST_CASE_FIXTURE(ScanFixture, "a line that is a macro for push_macro is obeyed") {
  files.write("/w/main.cc",
              "#define MY_PUSH_MACROS _Pragma(\"push_macro(\\\"A\\\")\")\n"
              "#define MY_POP_MACROS _Pragma(\"pop_macro(\\\"A\\\")\")\n"
              "#define A 1\nMY_PUSH_MACROS\n#undef A\nMY_POP_MACROS\n#if A\n#include \"a.h\"\n#endif\n");
  files.write("/w/a.h", "");
  CHECK(listed() == "main.cc a.h");
}

TEST_CASE_FIXTURE(ScanFixture, "what cannot be known is refused, with the reason") {
  auto label = [&](const std::string& text) {
    files.write("/w/main.cc", text);
    return listed();
  };
  CHECK(label("#include \"none.h\"\n") == "refused: missing_include");
  CHECK(label("#include \"main.cc\"\n") == "refused: include_depth");
  CHECK(label("#error no\n") == "refused: error_directive");
  CHECK(label("#if 1 +\n#endif\n") == "refused: if_expression");
  CHECK(label("asm(\".incbin \\\"x\\\"\");\n") == "refused: incbin");
  CHECK(label("int x = __COUNTER__;\n#if __COUNTER__\n#endif\n") == "refused: counter_macro");
  CHECK(label("_Pragma(\"once\")\n") == "refused: pragma_operator");
  CHECK(label("#define P _Pragma(\"push_macro(\\\"A\\\")\")\nP x\n") == "refused: pragma_operator");
  CHECK(label("#assert a(b)\n") == "refused: assert_directive");
  CHECK(label("#if 2\n") == "refused: unbalanced_conditionals");
  CHECK(label("import x;\n") == "main.cc");
  dialect.predefined = "#define __GNUC__ 12\n#define __cplusplus 202002L\n";
  dialect.id = 2;
  CHECK(label("import x;\n") == "refused: modules");
  // One that is skipped is none.
  CHECK(label("#if defined(__cpp_modules)\nimport x;\n#endif\n") == "main.cc");
  CHECK(label("#ifdef X\nexport module x;\n#else\nint x;\n#endif\n") == "main.cc");
}

TEST_CASE_FIXTURE(ScanFixture, "time counts when text names it, unless it is fixed") {
  files.write("/w/main.cc", "const char* d = __DATE__;\n");
  auto closure = scan();
  REQUIRE(closure);
  CHECK(closure->facts.time_macro);
  files.write("/w/main.cc", "// __DATE__\n#define D __DATE__\n");
  CHECK_FALSE(scan()->facts.time_macro);
}

TEST_CASE_FIXTURE(ScanFixture, "absolute names are told") {
  files.write("/w/main.cc", "#include \"/w/a.h\"\n#include NAME\n#line 3 \"/gen/x.y\"\n");
  files.write("/w/a.h", "");
  files.write("/w/b.h", "");
  command.macros = {{false, "NAME=\"b.h\""}};
  auto closure = scan();
  REQUIRE(closure);
  CHECK(closure->facts.absolute_includes == std::vector<std::string>{"/w/a.h", "b.h"});
  CHECK(closure->facts.absolute_lines == std::vector<std::string>{"/gen/x.y"});
}

TEST_CASE_FIXTURE(ScanFixture, "a change of any file that took part gives another answer") {
  files.write("/w/main.cc", "#include \"cfg.h\"\n#if CFG\n#include \"a.h\"\n#else\n#include <b.h>\n#endif\n");
  files.write("/w/cfg.h", "#define CFG 1\n");
  files.write("/w/a.h", "");
  files.write("/w/two/b.h", "");
  files.make_directory("/w/one");
  angle("one");
  angle("two");
  CHECK(listed() == "main.cc cfg.h a.h");
  files.write("/w/cfg.h", "#define CFG 0\n");
  CHECK(listed() == "main.cc cfg.h two/b.h");
  files.write("/w/one/b.h", "");
  CHECK(listed() == "main.cc cfg.h one/b.h");
}
