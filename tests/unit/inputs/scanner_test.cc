// Compares the scan with what real compilers write into their depfiles, name by name and in order. Compilers
// that are not installed are left out; one at least must be there.
#include "inputs/scanner.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "compiler/dialect.h"
#include "compiler/identity.h"
#include "compiler/parse.h"
#include "fake/temp_dir.h"
#include "inputs/file_index.h"

namespace {

std::vector<std::string> compilers() {
  std::vector<std::string> out;
  for (const char* path :
       {"/usr/bin/g++", "/usr/bin/clang++-14", "/usr/bin/clang++-19", "/usr/bin/clang++"}) {
    if (access(path, X_OK) == 0) out.emplace_back(path);
  }
  return out;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

struct Project {
  fake::TempDir dir;
  compiler::Identifier identifier{base::real_files(), base::real_spawner(), ""};
  compiler::Dialects dialects{base::real_files(), base::real_spawner(), ""};
  inputs::FileIndex index{base::real_files(), base::real_clock()};
  inputs::Scanner scanner{index, dialects};
  std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  std::stop_token stop;

  base::Result<inputs::Closure> scan(const std::string& compiler, const std::string& args) {
    compiler::CommandLine line{compiler, words(compiler + " " + args), dir.path(), env};
    auto command = compiler::parse(line, base::real_files());
    if (!command) return command.error();
    auto identity = identifier.identify(*command, env, stop);
    if (!identity) return identity.error();
    index.refresh();
    return scanner.scan(*command, **identity, env, stop);
  }

  // The names of the scan that a depfile has, without repeats; or the reason why not.
  std::vector<std::string> ours(const std::string& compiler, const std::string& args) {
    auto closure = scan(compiler, args);
    if (!closure) return {"refused", closure.error().message};
    std::vector<std::string> out;
    for (const inputs::Input& input : closure->inputs) {
      if (input.in_depfile && std::find(out.begin(), out.end(), input.spelled) == out.end()) {
        out.push_back(input.spelled);
      }
    }
    return out;
  }

  // The names in the depfile that the compiler writes.
  std::vector<std::string> theirs(const std::string& compiler, const std::string& args) {
    base::SpawnRequest request;
    request.argv = words(compiler + " " + args + " -w -E -o /dev/null -MD -MF x.d");
    request.directory = dir.path();
    request.env = env;
    auto outcome = base::real_spawner().run(request, stop);
    REQUIRE(outcome);
    std::string text = dir.read("x.d");
    for (std::size_t at; (at = text.find("\\\n")) != std::string::npos;) text.replace(at, 2, " ");
    std::vector<std::string> out;
    for (const std::string& word : words(text.substr(0, text.find('\n')))) {
      if (word.back() != ':' && std::find(out.begin(), out.end(), word) == out.end()) out.push_back(word);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("names and order are those of the depfile, for each way to spell directories") {
  Project project;
  project.dir.write("x.h", "extern int x;\n");
  project.dir.write("inc/a.h", "#include_next <a.h>\n");
  project.dir.write("inc2/a.h", "");
  project.dir.write("sub/s.h", "#include \"y.h\"\n#include \"../x.h\"\n#include <a.h>\n");
  project.dir.write("sub/y.h", "#pragma once\n");
  project.dir.write("sub/deep/d.h", "#ifndef D\n#define D\n#endif\n");
  project.dir.write("sys/sys.h", "#include \"beside.h\"\n#if __has_include(<a.h>)\n#endif\n");
  project.dir.write("sys/beside.h", "");
  std::filesystem::create_directory_symlink("sys", project.dir / "link");
  const std::string text =
      "#include \"x.h\"\n#include \"sub/s.h\"\n#include \"sub/deep/../y.h\"\n#include <sys.h>\n"
      "#include \"./x.h\"\n#include \"sub//deep/d.h\"\n#include \"sub/deep/d.h\"\n#include <stddef.h>\n";
  project.dir.write("main.cc", text);
  const std::string absolute = project.dir / "main.cc";
  const std::vector<std::string> lines = {
      "-Iinc -Iinc2 -isystem sys -c main.cc",
      "-I./inc/ -I ./inc2 -isystem link/ -c ./main.cc",
      "-I. -Iinc -isystem inc2 -isystem " + (project.dir / "link") + " -c " + absolute,
      "-Isub/../inc -Iinc -Iinc2 -idirafter sub/../sys -c main.cc",
      "-Iinc -isystem inc -Iinc2 -isystem sys -c main.cc",
      "-iquote sub -Iinc2 -isystem inc -isystem inc2 -isystem sys -include x.h -include y.h -c main.cc",
      "-Iinc -Iinc2 -isystem sys -imacros a.h -include sub/y.h -c main.cc",
  };
  REQUIRE_FALSE(compilers().empty());
  for (const std::string& compiler : compilers()) {
    for (const std::string& line : lines) {
      CAPTURE(compiler);
      CAPTURE(line);
      CHECK(project.ours(compiler, line) == project.theirs(compiler, line));
    }
  }
}

TEST_CASE("the standard library is found as the compilers find it") {
  Project project;
  project.dir.write(
      "main.cc",
      "#include <algorithm>\n#include <regex>\n#include <filesystem>\n#include <thread>\n"
      "#include <unistd.h>\n#include <sys/socket.h>\n#include <immintrin.h>\n#include <cmath>\n");
  project.dir.write("main.c", "#include <stdio.h>\n#include <stdatomic.h>\n#include <tgmath.h>\n");
  for (const std::string& compiler : compilers()) {
    for (const char* line : {"-std=c++17 -O2 -c main.cc", "-std=c++20 -fPIC -pthread -c main.cc",
                             "-std=gnu++14 -fno-exceptions -march=x86-64-v3 -c main.cc", "-x c -c main.c",
                             "-x c -std=c89 -c main.c", "-x c -ffreestanding -std=c11 -c main.c"}) {
      CAPTURE(compiler);
      CAPTURE(line);
      std::vector<std::string> theirs = project.theirs(compiler, line);
      CHECK(theirs.size() > 1);
      CHECK(project.ours(compiler, line) == theirs);
    }
  }
}

TEST_CASE("what the compilers answer to questions is asked of them, and counts") {
  Project project;
  project.dir.write(
      "main.cc",
      "#define HAS(x) __has_builtin(x)\n#if HAS(__builtin_expect)\n#include \"a.h\"\n#endif\n"
      "#if HAS(__builtin_nope)\n#include \"none.h\"\n#endif\n"
      "#if __has_cpp_attribute(nodiscard) >= 201603\n#include \"b.h\"\n#endif\n"
      "#ifdef __has_feature\n#if __has_feature(cxx_rvalue_references)\n#include \"c.h\"\n#endif\n#endif\n");
  for (const char* name : {"a.h", "b.h", "c.h"}) project.dir.write(name, "");
  for (const std::string& compiler : compilers()) {
    CAPTURE(compiler);
    CHECK(project.ours(compiler, "-c main.cc") == project.theirs(compiler, "-c main.cc"));
  }
}

TEST_CASE("a scan sees what changed since the last one") {
  Project project;
  project.dir.write("main.cc", "#include \"a.h\"\n#if A\n#include <late.h>\n#endif\n");
  project.dir.write("a.h", "#define A 0\n");
  project.dir.write("two/late.h", "");
  std::filesystem::create_directory(project.dir / "one");
  const std::string compiler = compilers().front();
  const std::string line = "-Ione -Itwo -c main.cc";
  CHECK(project.ours(compiler, line).back() == "a.h");
  project.dir.write("a.h", "#define A 1\n");
  CHECK(project.ours(compiler, line).back() == "two/late.h");
  project.dir.write("one/late.h", "");
  CHECK(project.ours(compiler, line).back() == "one/late.h");
}

TEST_CASE("assembler and preprocessed sources are read as they are") {
  Project project;
  project.dir.write("main.ii", "# 1 \"/abs/main.cc\"\nint x;\n");
  project.dir.write("main.s", "#include \"none.h\"\n.include \"b.s\"\n");
  project.dir.write("b.s", ".globl y\n");
  project.dir.write(
      "main.S", "#ifdef __ASSEMBLER__\n#include \"c.h\"\n#endif\n.incbin \"b.s\"\n# it's /* no comment\n");
  project.dir.write("c.h", "# an unknown directive\n");
  for (const std::string& compiler : compilers()) {
    CAPTURE(compiler);
    auto text = project.scan(compiler, "-c main.ii");
    REQUIRE(text);
    CHECK(text->inputs.size() == 1);
    CHECK(text->facts.absolute_lines == std::vector<std::string>{"/abs/main.cc"});
    auto plain = project.scan(compiler, "-c main.s");
    REQUIRE(plain);
    CHECK(plain->inputs.size() == 2);
    auto assembler = project.scan(compiler, "-c main.S");
    REQUIRE(assembler);
    auto is = [](const char* name) { return [=](const inputs::Input& i) { return i.spelled == name; }; };
    CHECK(std::any_of(assembler->inputs.begin(), assembler->inputs.end(), is("c.h")));
    CHECK(std::any_of(assembler->inputs.begin(), assembler->inputs.end(), is("b.s")));
  }
}

TEST_CASE("where clang looks for files although a source is preprocessed, nothing is said") {
  Project project;
  project.dir.write("asks.ii", "#if __has_include(\"late.h\")\nint late;\n#endif\n");
  project.dir.write("main.ii", "int x;\n");
  for (const std::string& compiler : compilers()) {
    const bool clang = compiler.find("clang") != std::string::npos;
    CAPTURE(compiler);
    CHECK(project.scan(compiler, "-c asks.ii").ok() != clang);
    CHECK(project.scan(compiler, "-c main.ii").ok());
    if (clang) CHECK(!project.scan(compiler, "-c main.ii -Xclang -include -Xclang late.h").ok());
  }
}

TEST_CASE("where gcc predefines other macros on the way, a question for files is not answered") {
  Project project;
  for (const char* pragma : {"#pragma GCC target(\"avx2\")", "#pragma GCC optimize(\"O2\")",
                             "#pragma GCC push_options", "_Pragma(\"GCC target(\\\"avx2\\\")\")"}) {
    CAPTURE(pragma);
    project.dir.write("asks.c", std::string(pragma) +
                                    "\n#ifdef __AVX2__\n#if __has_include(\"late.h\")\n#include \"late.h\"\n"
                                    "#endif\n#endif\nint x;\n");
    project.dir.write("plain.c", std::string(pragma) + "\nint x;\n");
    project.dir.write("asks.cc", std::string(pragma) + "\n#if __has_include(\"late.h\")\n#endif\nint x;\n");
    for (const std::string& compiler : compilers()) {
      const bool clang = compiler.find("clang") != std::string::npos;
      CAPTURE(compiler);
      CHECK(project.scan(compiler, "-x c -c asks.c").ok() == clang);
      CHECK(project.scan(compiler, "-x c -c plain.c").ok());
      CHECK(project.scan(compiler, "-c asks.cc").ok());
    }
  }
}

TEST_CASE("a source that is missing, and a stop, are errors") {
  Project project;
  const std::string compiler = compilers().front();
  CHECK(project.scan(compiler, "-c none.cc").error().label() == "missing_source");
  project.dir.write("main.cc", "");
  std::stop_source source;
  REQUIRE(project.scan(compiler, "-c main.cc"));
  source.request_stop();
  project.stop = source.get_token();
  auto stopped = project.scan(compiler, "-c main.cc");
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().kind == base::ErrorKind::cancelled);
}
