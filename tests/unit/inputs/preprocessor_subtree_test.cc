#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

#include "fake/fake_watcher.h"
#include "fake/scan_fixture.h"

// ScanFixture compares each scan with others that record and take subtrees: what is listed here is what both
// say.

using compiler::Family;
using fake::ScanFixture;
namespace {

struct Taken : ScanFixture {
  explicit Taken(Family family = Family::gcc) : ScanFixture(family) {
    for (const char* name : {"/w/x.h", "/w/y.h", "/w/z.h"}) files.write(name, "");
  }

  // How many walks of this source's scans were saved.
  std::uint64_t taken(const std::string& source) {
    files.write("/w/main.cc", source);
    const std::uint64_t before = with_subtrees.subtrees_taken;
    last = listed();
    return with_subtrees.subtrees_taken - before;
  }
  // After a.h, which includes x.h where M is defined.
  std::string after(const std::string& source) {
    files.write("/w/main.cc", source);
    return listed();
  }
  std::string last;
};

}  // namespace

TEST_CASE_FIXTURE(Taken, "what was walked under the same macros is not walked again") {
  files.write("/w/a.h", "#ifdef M\n#include \"x.h\"\n#endif\n#define N\n");
  CHECK(taken("#include \"a.h\"\n#ifdef N\n#include \"y.h\"\n#endif\n") > 0);
  CHECK(last == "main.cc a.h y.h");
  CHECK(taken("#define OTHER\n#include \"a.h\"\n") >= 3);
  CHECK(last == "main.cc a.h");
  CHECK(after("#define M\n#include \"a.h\"\n") == "main.cc a.h x.h");
  CHECK(after("#define M 2\n#include \"a.h\"\n#undef N\n#include \"a.h\"\n") == "main.cc a.h x.h");
  CHECK(after("#include \"a.h\"\n#define M\n#include \"a.h\"\n") == "main.cc a.h x.h");
}

TEST_CASE_FIXTURE(Taken, "what a subtree leaves behind counts, to the last") {
  files.write("/w/a.h", "#define A 1\n#undef A\n#define A 2\n#define B\n#undef B\n#undef C\n");
  const std::string rest =
      "#if A == 2 && !defined(B) && !defined(C)\n#include \"x.h\"\n#else\n#include \"y.h\"\n#endif\n";
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#define C\n#define B 3\n#include \"a.h\"\n" + rest) == "main.cc a.h x.h");
    CHECK(after("#include \"a.h\"\n#define B\n" + rest) == "main.cc a.h y.h");
  }
}

TEST_CASE_FIXTURE(Taken, "a macro that is only expanded, or only asked for by a guard, is asked for") {
  files.write("/w/a.h",
              "#define INNER OUTER\n#if INNER + 0 == 7\n#include \"x.h\"\n#endif\n#include \"g.h\"\n");
  files.write("/w/g.h", "#ifndef G\n#define G\n#include \"y.h\"\n#endif\n");
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#include \"a.h\"\n") == "main.cc a.h g.h y.h");
    CHECK(after("#define OUTER 7\n#include \"a.h\"\n") == "main.cc a.h x.h g.h y.h");
    // gcc lists a file that its guard closes.
    CHECK(after("#define G\n#include \"a.h\"\n") == "main.cc a.h g.h");
    CHECK(after("#include \"g.h\"\n#include \"a.h\"\n") == "main.cc g.h y.h a.h");
  }
}

TEST_CASE("files that are read once only are so by what was read before") {
  for (Family family : {Family::gcc, Family::clang}) {
    Taken scan(family);
    scan.files.write("/w/once.h", "#pragma once\n#ifdef M\n#include \"x.h\"\n#endif\n#define SEEN\n");
    scan.files.write("/w/a.h", "#include \"once.h\"\n#ifdef SEEN\n#include \"y.h\"\n#endif\n#undef SEEN\n");
    for (int i = 0; i < 2; ++i) {
      CHECK(scan.after("#include \"a.h\"\n") == "main.cc a.h once.h y.h");
      CHECK(scan.after("#include \"once.h\"\n#undef SEEN\n#include \"a.h\"\n") == "main.cc once.h a.h");
      CHECK(scan.after("#include \"a.h\"\n#include \"a.h\"\n#define M\n#include \"once.h\"\n") ==
            "main.cc a.h once.h y.h");
    }
  }
}

TEST_CASE_FIXTURE(Taken, "a file of equal content elsewhere is noticed by what is repeated") {
  files.write("/w/p/once.h", "#pragma once\n");
  files.write("/w/a.h", "#include \"p/once.h\"\n");
  files.write("/w/q/once.h", "#pragma once\n");
  CHECK(after("#include \"a.h\"\n") == "main.cc a.h p/once.h");
  CHECK(after("#include \"q/once.h\"\n#include \"a.h\"\n") == "refused: once_equal_files");
  CHECK(after("#include \"a.h\"\n#include \"q/once.h\"\n") == "refused: once_equal_files");
}

TEST_CASE("questions for files are repeated as well") {
  for (Family family : {Family::gcc, Family::clang}) {
    Taken scan(family);
    scan.files.write("/w/a.h",
                     "#if __has_include(\"x.h\")\n#define X\n#endif\n#if __has_include(\"new.h\")\n"
                     "#include \"new.h\"\n#endif\n");
    for (int i = 0; i < 2; ++i) {
      CHECK(scan.taken("#include \"a.h\"\n#ifdef X\n#include \"y.h\"\n#endif\n") > 0);
      CHECK(scan.last == (family == Family::gcc ? "main.cc a.h y.h" : "main.cc a.h x.h y.h"));
      CHECK(scan.scan()->inputs.size() == 4);
    }
    scan.files.write("/w/new.h", "");
    CHECK(scan.after("#include \"a.h\"\n") ==
          (family == Family::gcc ? "main.cc a.h new.h" : "main.cc a.h x.h new.h"));
  }
}

TEST_CASE_FIXTURE(Taken, "a file that appears, changes or goes is seen below what was walked before") {
  angle("first");
  angle("second");
  files.make_directory("/w/first");
  files.write("/w/second/h.h", "");
  files.write("/w/a.h", "#include <h.h>\n");
  const std::string source = "#include \"a.h\"\n";
  CHECK(taken(source) > 0);
  CHECK(last == "main.cc a.h second/h.h");
  files.write("/w/second/h.h", "#include \"x.h\"\n");
  CHECK(after(source) == "refused: missing_include");
  files.write("/w/second/x.h", "");
  CHECK(after(source) == "main.cc a.h second/h.h second/x.h");
  files.write("/w/first/h.h", "");
  CHECK(after(source) == "main.cc a.h first/h.h");
  files.remove("/w/first/h.h");
  CHECK(after(source) == "main.cc a.h second/h.h second/x.h");
}

TEST_CASE_FIXTURE(Taken, "a file that is included from elsewhere, or by another name, finds other files") {
  files.write("/w/x/o.h", "#include \"s.h\"\n");
  files.write("/w/x/s.h", "");
  files.write("/w/y/s.h", "#define Y\n");
  files.link("/w/y/o.h", "../x/o.h");
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#include \"x/o.h\"\n") == "main.cc x/o.h x/s.h");
    CHECK(after("#include \"y/o.h\"\n") == "main.cc y/o.h y/s.h");
  }
}

TEST_CASE_FIXTURE(Taken, "a file that was not found by a search begins its own elsewhere") {
  angle("d");
  angle("e");
  files.write("/w/d/h.h", "#ifndef H\n#define H\n#include_next <h.h>\n#endif\n");
  files.write("/w/e/h.h", "");
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#include <h.h>\n") == "main.cc d/h.h e/h.h");
    CHECK(after("#include \"d/h.h\"\n") == "main.cc d/h.h");
  }
}

TEST_CASE_FIXTURE(Taken, "what is found below a system header is one, whatever it was elsewhere") {
  canonical_system_headers = false;
  search(compiler::SearchDir::Kind::system, "s");
  files.write("/w/s/sys.h", "#include \"c.h\"\n");
  files.write("/w/s/c.h", "#include \"d.h\"\n");
  files.write("/w/s/d.h", "");
  files.write("/w/m.h", "#pragma GCC system_header\n#include \"s/c.h\"\n");
  auto last_input = [&](const std::string& source) {
    files.write("/w/main.cc", source);
    return scan()->inputs.back();
  };
  for (int i = 0; i < 2; ++i) {
    inputs::Input input = last_input("#include <sys.h>\n");
    CHECK(input.system);
    CHECK(input.by_system_dir);
    input = last_input("#include \"s/c.h\"\n");
    CHECK_FALSE(input.system);
    CHECK_FALSE(input.by_system_dir);
    input = last_input("#include \"m.h\"\n");
    CHECK(input.system);
    CHECK_FALSE(input.by_system_dir);
  }
}

TEST_CASE_FIXTURE(Taken, "another search path, or another language, is another place") {
  files.write("/w/a.h", "#include <h.h>\n#if true\n#include \"x.h\"\n#endif\n");
  files.write("/w/d/h.h", "");
  files.write("/w/e/h.h", "");
  for (int i = 0; i < 2; ++i) {
    command.search.clear();
    angle("d");
    CHECK(after("#include \"a.h\"\n") == "main.cc a.h d/h.h x.h");
    command.search.clear();
    angle("e");
    CHECK(after("#include \"a.h\"\n") == "main.cc a.h e/h.h x.h");
  }
  command.language = compiler::Language::c;
  dialect.id = 2;
  dialect.predefined = "#define __GNUC__ 12\n#define __STDC_VERSION__ 201710L\n";
  CHECK(after("#include \"a.h\"\n") == "main.cc a.h e/h.h");
}

TEST_CASE_FIXTURE(Taken, "a later standard is another language") {
  files.write("/w/a.h", "import it;\n#define A\n");
  CHECK(after("#include \"a.h\"\n") == "main.cc a.h");
  dialect.id = 2;
  dialect.predefined = "#define __GNUC__ 12\n#define __cplusplus 202002L\n";
  CHECK(after("#include \"a.h\"\n") == "refused: modules");
}

TEST_CASE_FIXTURE(Taken, "a file that is passed over is listed by each of its names") {
  files.write("/w/g.h", "#ifndef G\n#define G\n#endif\n");
  files.link("/w/other.h", "g.h");
  files.write("/w/a.h", "#include \"g.h\"\n#include \"other.h\"\n");
  CHECK(after("#define G\n#include \"a.h\"\n") == "main.cc a.h g.h other.h");
}

TEST_CASE("clang: a file is no system header if it is none in one of its uses") {
  Taken scan(Family::clang);
  scan.files.write("/w/m.h", "#pragma GCC system_header\n#include \"c.h\"\n");
  scan.files.write("/w/c.h", "#ifndef C\n#define C\n#endif\n");
  scan.files.write("/w/a.h", "#include \"m.h\"\n#include \"c.h\"\n");
  CHECK(scan.after("#define C\n#include \"a.h\"\n") == "main.cc a.h m.h c.h");
  CHECK_FALSE(scan.scan()->inputs.back().system);
}

TEST_CASE_FIXTURE(Taken, "what the text of a file says counts when its walk is saved") {
  files.write("/w/a.h", "#include \"t.h\"\n#include \"n.h\"\n");
  files.write("/w/t.h", "const char* t = __TIMESTAMP__;\n");
  files.write("/w/n.h", "int n = __COUNTER__;\n");
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#include \"a.h\"\n#define M\n") == "main.cc a.h t.h n.h");
    CHECK(scan()->facts.time_macro);
    CHECK(after("#include \"a.h\"\n#if __COUNTER__\n#endif\n") == "refused: counter_macro");
  }
}

TEST_CASE_FIXTURE(Taken, "what the text of a file says counts once it is read, not while it is passed over") {
  files.write("/w/t.h", "#ifndef T\n#define T\nconst char* t = __TIMESTAMP__;\n#endif\n");
  files.write("/w/a.h", "#include \"t.h\"\n#undef T\n#include \"t.h\"\n");
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#define T\n#include \"a.h\"\n") == "main.cc a.h t.h");
    CHECK(scan()->facts.time_macro);
  }
}

TEST_CASE_FIXTURE(Taken, "a file that is read once and met again is no hindrance") {
  files.write("/w/once.h", "#pragma once\n");
  files.write("/w/p.h", "#define P\n");
  files.write("/w/a.h", "#include \"once.h\"\n#include \"p.h\"\n#include <once.h>\n");
  angle(".");
  CHECK(after("#include \"a.h\"\n") == "main.cc a.h once.h p.h");
  // One for each scan of the fixture.
  CHECK(taken("#include \"a.h\"\n") == 3);
}

namespace {

// A compiler that has __has_builtin, and that answers each question with 1.
base::Result<base::SpawnOutcome> yes(const base::SpawnRequest& request) {
  base::SpawnOutcome outcome;
  const std::string& text = request.input;
  if (text.find("#ifdef ") != std::string::npos) {
    outcome.out =
        "# 0 \"<built-in>\"\n#define __cplusplus 201703L\n# 1 \"<stdin>\"\n"
        "goma_probe_name___has_builtin_\ngoma_probe_end\n";
    outcome.err =
        "#include \"...\" search starts here:\n#include <...> search starts here:\nEnd of search list.\n";
    return outcome;
  }
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    outcome.out += text.substr(at, text.find(' ', at) - at) + " 1L\n";
  }
  return outcome;
}

}  // namespace

TEST_CASE_FIXTURE(Taken, "what was found while an answer was open is not kept") {
  spawner.answer_others(yes);
  auto made = dialects.get(command, compiler::Compiler(), env, stop);
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().message));
  dialect = **made;
  dialect.includes_stdc_predef = false;
  files.write("/w/a.h", "#if __has_builtin(b)\n#include \"x.h\"\n#endif\n");
  CHECK(after("#include \"a.h\"\n") == "main.cc a.h");
  REQUIRE(questions.size() == 1);
  REQUIRE(answers.ask(dialect, questions, stop).ok());
  CHECK(after("#include \"a.h\"\n") == "main.cc a.h x.h");
}

TEST_CASE_FIXTURE(Taken, "an absolute name is told of each time") {
  files.write("/w/a.h", "#include \"/w/x.h\"\n#define A\n");
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#include \"a.h\"\n") == "main.cc a.h /w/x.h");
    CHECK(scan()->facts.absolute_includes == std::vector<std::string>{"/w/x.h"});
  }
}

TEST_CASE_FIXTURE(Taken, "gcc: what comes before the first include is walked") {
  search(compiler::SearchDir::Kind::system, "s");
  dialect.includes_stdc_predef = true;
  files.write("/w/s/stdc-predef.h", "#include \"x.h\"\n");
  files.write("/w/s/x.h", "");
  CHECK(after("#include \"y.h\"\n") == "main.cc s/stdc-predef.h s/x.h y.h");
}

TEST_CASE_FIXTURE(Taken, "what is imported is not read again after its import was saved") {
  files.write("/w/a.h", "#import \"i.h\"\n");
  files.write("/w/i.h", "#ifdef M\n#include \"y.h\"\n#endif\n");
  for (int i = 0; i < 2; ++i) {
    CHECK(after("#include \"a.h\"\n#define M\n#include \"i.h\"\n") == "main.cc a.h i.h");
    CHECK(after("#define M\n#include \"a.h\"\n") == "main.cc a.h i.h y.h");
  }
}

TEST_CASE_FIXTURE(Taken, "what depends on more than macros and files is walked each time") {
  int number = 0;
  for (const char* header :
       {"#if __COUNTER__ == 0\n#define M\n#endif\n", "#if __INCLUDE_LEVEL__ == 1\n#define M\n#endif\n",
        "#pragma push_macro(\"M\")\n", "#pragma pop_macro(\"M\")\n", "PUSH_MACRO\n",
        "#pragma push_macro(\"N\")\n#pragma pop_macro(\"N\")\n", "#define NAME __FILE__\n#include NAME\n",
        "#line 3 \"/abs/x.c\"\n"}) {
    // A file of its own for each, as few records are made of a file when many were of no use.
    const std::string name = "a" + std::to_string(++number) + ".h";
    files.write("/w/" + name, "#ifndef A\n#define A\n" + std::string(header) + "#endif\n");
    CHECK(taken("#define PUSH_MACRO _Pragma(\"push_macro(\\\"M\\\")\")\n#include \"" + name + "\"\n") == 0);
    CHECK(last.find("main.cc " + name) == 0);
  }
}

TEST_CASE("clang: what is embedded is looked at each time") {
  Taken scan(Family::clang);
  scan.dialect.builtin_names.emplace_back("__has_embed");
  scan.files.write("/w/a.h", "#if __has_embed(\"x.h\") == 2\n#define Y\n#endif\n");
  CHECK(scan.taken("#include \"a.h\"\n") == 0);
  CHECK(scan.last == "main.cc a.h x.h");
  scan.files.write("/w/a.h", "#embed \"x.h\"\n#define A\n");
  CHECK(scan.taken("#include \"a.h\"\n") == 0);
  CHECK(scan.last == "main.cc a.h x.h");
}

TEST_CASE_FIXTURE(Taken, "a subtree that goes too deep for its place is refused as its walk would be") {
  std::string before;
  for (int i = 0; i < 120; ++i) {
    files.write("/w/l" + std::to_string(i) + ".h",
                i == 0 ? "" : "#include \"l" + std::to_string(i - 1) + ".h\"\n");
    files.write("/w/k" + std::to_string(i) + ".h",
                i == 0 ? "#include \"l119.h\"\n" : "#include \"k" + std::to_string(i - 1) + ".h\"\n");
  }
  CHECK(taken("#include \"l119.h\"\n") > 0);
  CHECK(after("#include \"k50.h\"\n").find("main.cc k50.h") == 0);
  CHECK(after("#include \"k119.h\"\n") == "refused: include_depth");
  // What is shallow at its end was deep before.
  files.write("/w/m.h", "#include \"l119.h\"\n#include \"x.h\"\n");
  files.write("/w/k0.h", "#include \"m.h\"\n");
  CHECK(after("#include \"m.h\"\n").find("main.cc m.h") == 0);
  CHECK(after("#include \"k80.h\"\n") == "refused: include_depth");
}

TEST_CASE("clang before 17 names directories by their first use, so all is walked") {
  Taken scan(Family::clang);
  scan.dialect.id = 2;
  scan.dialect.predefined = "#define __clang_major__ 14\n#define __cplusplus 201703L\n";
  scan.files.write("/w/a.h", "#include \"x.h\"\n");
  CHECK(scan.taken("#include \"a.h\"\n") == 0);
  CHECK(scan.last == "main.cc a.h x.h");
}

TEST_CASE_FIXTURE(Taken, "subtrees that save little are not kept") {
  with_subtrees.subtree_limits = {};
  std::string many;
  for (int i = 0; i < 100; ++i) many += "#ifdef N\n#endif\n";
  files.write("/w/a.h", "#ifndef A\n#define A\n#endif\n");
  files.write("/w/b.h", many);
  CHECK(taken("#include \"a.h\"\n") == 0);
  CHECK(taken("#include \"a.h\"\n#include \"b.h\"\n") == 1);
}

TEST_CASE_FIXTURE(Taken, "subtrees that would take too much memory take the place of all others") {
  files.write("/w/a.h", "#ifdef A\n#endif\n");
  files.write("/w/b.h", "#ifdef B\n#endif\n");
  const std::string a = "#include \"a.h\"\n";
  const std::string b = "#include \"b.h\"\n";
  CHECK(taken(a) == 1);
  const std::size_t one = with_subtrees.subtree_bytes;
  CHECK(one > 0);
  CHECK(lists.subtree_bytes() == one);
  with_subtrees.subtree_limits.bytes = one + one / 2;
  CHECK(taken(b) == 1);
  CHECK(with_subtrees.subtree_bytes == one);
  CHECK(lists.subtree_bytes() == one);
  // The other is gone.
  CHECK(taken(a) < 3);
  with_subtrees.subtree_limits.bytes = 100 * one;
  with_subtrees.subtree_limits.bytes_of_all = one + one / 2;
  CHECK(taken(b) < 3);
  CHECK(lists.subtree_bytes() == one);
}

TEST_CASE_FIXTURE(Taken, "what others keep leaves no room, and own subtrees stay") {
  files.write("/w/a.h", "#ifdef A\n#endif\n");
  files.write("/w/b.h", "#ifdef B\n#endif\n");
  CHECK(taken("#include \"a.h\"\n") == 1);
  const std::size_t one = with_subtrees.subtree_bytes;
  lists.subtree_bytes() += with_subtrees.subtree_limits.bytes_of_all - one + 1;
  CHECK(taken("#include \"b.h\"\n") == 0);
  CHECK(with_subtrees.subtree_bytes == one);
  CHECK(taken("#include \"a.h\"\n") == 3);
}

// Projects of a few headers that ask for, define and undefine a few macros, and include each other.
namespace {

class RandomProject {
 public:
  RandomProject(std::uint32_t seed, ScanFixture& scan) : random_(seed), scan_(scan) {
    scan_.angle("d");
    scan_.angle(".");
    scan_.search(compiler::SearchDir::Kind::system, "s");
    for (int i = 0; i < kHeaders; ++i) write_header(i);
  }

  void change() { write_header(pick(kHeaders)); }

  std::string next_source() {
    std::string text = pick(4) == 0 ? "#define F(x) x x\n" : "#define F(x) x\n";
    for (int i = 0; i < 6; ++i) text += line(kHeaders, 0);
    scan_.files.write("/w/main.cc", text);
    return text;
  }

 private:
  static constexpr int kHeaders = 10;

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  std::string macro() { return std::string(1, static_cast<char>('A' + pick(5))); }
  std::string header(int below) {
    const std::string name = "h" + std::to_string(pick(std::max(below, 1))) + ".h";
    switch (pick(5)) {
      case 0:
        return "<" + name + ">";
      case 1:
        return "\"d/" + name + "\"";
      default:
        return "\"" + name + "\"";
    }
  }

  std::string condition() {
    switch (pick(7)) {
      case 0:
        return "#ifdef " + macro();
      case 1:
        return "#ifndef " + macro();
      case 2:
        return "#if " + macro() + " + 0 == " + std::to_string(pick(3));
      case 3:
        return "#if F(" + macro() + ") + 0 > 0";
      case 4:
        return "#if __has_include(" + header(kHeaders) + ")";
      case 5:
        return pick(4) == 0 ? "#if __INCLUDE_LEVEL__ > 2" : "#ifdef " + macro();
      default:
        return "#if defined " + macro() + " && !defined " + macro();
    }
  }

  // `below`: only headers of lower numbers are included, or there would be no end.
  std::string line(int below, int depth) {
    switch (pick(depth > 2 ? 5 : 8)) {
      case 0:
        return "#undef " + macro() + "\n";
      case 1:
        return "#define " + macro() + " " + (pick(2) == 0 ? std::to_string(pick(3)) : macro()) + "\n";
      case 2:
        return pick(6) == 0 ? "#pragma push_macro(\"" + macro() + "\")\n" : "#define F(x) x\n";
      case 3:
      case 4:
        return below == 0 ? "" : "#include " + header(below) + "\n";
      default: {
        std::string text = condition() + "\n" + line(below, depth + 1);
        if (pick(2) == 0) text += "#else\n" + line(below, depth + 1);
        return text + "#endif\n";
      }
    }
  }

  void write_header(int number) {
    const std::string name = "h" + std::to_string(number) + ".h";
    for (const char* folder : {"/w/", "/w/d/", "/w/s/"}) {
      if (folder != std::string("/w/") && pick(8) == 0) {
        scan_.files.remove(folder + name);
        continue;
      }
      std::string text;
      const int kind = pick(4);
      // Texts that differ, or files of equal content would be refused.
      const std::string guard = "G" + std::to_string(number) + "_" + std::to_string(++texts_);
      if (kind == 0) text += "#pragma once\n// " + guard + "\n";
      if (kind == 1) text += "#ifndef " + guard + "\n#define " + guard + "\n";
      for (int i = pick(6); i >= 0; --i) text += line(number, 0);
      if (kind == 1) text += "#endif\n";
      scan_.files.write(folder + name, text);
    }
  }

  std::mt19937 random_;
  ScanFixture& scan_;
  int texts_ = 0;
};

}  // namespace

TEST_CASE("random projects: what is taken over is what a walk would find") {
  const char* given = std::getenv("GOMA_TEST_SEED");
  const std::uint32_t first =
      given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : 1;
  std::uint64_t taken = 0;
  int refused = 0;
  constexpr int kProjects = 40;
  constexpr int kSources = 25;
  for (std::uint32_t i = 0; i < kProjects; ++i) {
    const Family family = i % 2 == 0 ? Family::gcc : Family::clang;
    ScanFixture scan(family);
    RandomProject project(first + i, scan);
    for (int j = 0; j < kSources; ++j) {
      if (j % 5 == 4) project.change();
      const std::string source = project.next_source();
      const std::string listed = scan.listed();
      INFO("seed " << first + i << ", source " << j << ":\n" << source);
      REQUIRE(listed.find("refused: with subtrees") == std::string::npos);
      refused += listed.starts_with("refused");
    }
    taken += scan.with_subtrees.subtrees_taken;
  }
  CHECK(taken > 1000);
  CHECK(refused < kProjects * kSources / 2);
}
