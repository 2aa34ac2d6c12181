#include "compiler/probe_text.h"

#include <doctest/doctest.h>

TEST_CASE("macros of the compiler itself are kept, those of headers are not") {
  compiler::ProbedText text = compiler::read_probe(
      "# 0 \"<stdin>\"\n# 0 \"<built-in>\"\n#define A 1\n#define F(x) x + 1\n#define B 2\n#undef B\n#define "
      "A 3\n"
      "# 0 \"<command-line>\"\n#define C\n"
      "# 1 \"/usr/include/stdc-predef.h\" 1 3 4\n#define D 1\n# 0 \"<command-line>\" 2\n#define E 1\n"
      "# 1 \"<stdin>\"\n#define G 1\ngoma_probe_name___has_include_\ngoma_probe_end\n");
  CHECK(text.predefined == "#define A 3\n#define F(x) x + 1\n#define C\n#define E 1\n");
  CHECK(text.builtin_names == std::vector<std::string>{"__has_include"});
  CHECK(text.saw_stdc_predef);
  CHECK(text.complete);
  CHECK(!compiler::read_probe("# 0 \"<built-in>\"\n#define A 1\n").complete);
}

TEST_CASE("the search path in what -v prints") {
  compiler::ProbedPath path = compiler::read_search_path(
      "Found candidate GCC installation: /usr/lib/gcc/x86/12\n"
      "Selected GCC installation: /usr/lib/gcc/x86/12\n"
      "ignoring nonexistent directory \"/gone\"\nignoring duplicate directory \"/twice\"\n"
      "#include \"...\" search starts here:\n /quote\n#include <...> search starts here:\n /a b\n"
      " /fw (framework directory)\nEnd of search list.\n /later\n");
  REQUIRE(path.directories.size() == 2);
  CHECK(path.directories[0].path == "/a b");
  CHECK(!path.directories[0].framework);
  CHECK(path.directories[1].path == "/fw");
  CHECK(path.directories[1].framework);
  CHECK(path.nonexistent == std::vector<std::string>{"/gone"});
  CHECK(path.installations[0] == "/usr/lib/gcc/x86");
  CHECK(path.installations[1] == "/usr/lib/gcc");
  CHECK(path.complete);
  CHECK(!compiler::read_search_path("error\n").complete);
}

TEST_CASE("answers are integers, with or without a suffix") {
  std::vector<compiler::Question> questions = {"a", "b", "c", "d"};
  CHECK(compiler::questions_source(questions) ==
        "goma_probe_0 a\ngoma_probe_1 b\ngoma_probe_2 c\ngoma_probe_3 d\n");
  CHECK(compiler::read_answers(
            "# 1\ngoma_probe_0 1\n\ngoma_probe_1 201907L\ngoma_probe_3 x(1)\ngoma_probe_9 1\n", 4) ==
        std::vector<std::int64_t>{1, 201907, compiler::kNoAnswer, compiler::kNoAnswer});
}

TEST_CASE("a question that would leave its line is not asked") {
  CHECK(compiler::is_well_formed("__has_cpp_attribute(gnu::packed)"));
  CHECK(compiler::is_well_formed("__has_warning(\"-W(\")"));
  for (const char* bad :
       {"f((", "f)(", "f(\"x)", "f(a)\n#define X", "f(/*)", "f(a) // x", "f(a) \\", "#if f(a)"}) {
    CHECK_MESSAGE(!compiler::is_well_formed(bad), bad);
  }
}
