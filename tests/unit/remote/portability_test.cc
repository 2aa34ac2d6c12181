#include "remote/portability.h"

#include "unit/remote/project.h"

// What decides between the two forms, row by row. That the portable form gives the same bytes is shown by
// portable_bytes_test.cc.

TEST_CASE("outputs outside the root") {
  Project project;
  auto why = [&](const std::string& output) {
    return reason(project, {"-O2", "-c", "../../src/x.cc", "-o", output});
  };
  CHECK(why(project.outside + "/x.o") == "an output outside the root: " + project.outside + "/x.o");
  CHECK(why("../../../outside/x.o").starts_with("an output outside the root"));
  CHECK(why("../../x.o") == "");
  CHECK(why(project.root + "/x.o") == "");
  link_to(project.outside, project.directory + "/link");
  CHECK(why("link/x.o") == "an output outside the root: link/x.o");
}

TEST_CASE("roots that allow no portable form") {
  Project project;
  SUBCASE("none") {
    // Without a marker the common folder is taken, unless the compiler lies in it.
    std::filesystem::remove_all(project.root + "/.git");
    CHECK(reason(project, kPlain) == "");
    project.write("tools/g++", "");
    project.compiler_path = project.root + "/tools/g++";
    CHECK(reason(project, kPlain) == "there is no exec root");
  }
  SUBCASE("a name that needs quoting") {
    Project odd("a b");
    CHECK(reason(odd, kPlain).starts_with("the exec root's name needs quoting"));
  }
  SUBCASE("the working directory outside") {
    project.settings.exec_root = project.root + "/src";
    CHECK(reason(project, kPlain).starts_with("the working directory lies outside"));
  }
}

TEST_CASE("options that are not identical in any folder") {
  Project project;
  auto why = [&](const std::string& word) { return reason(project, plus(kPlain, {word})); };
  for (const char* word :
       {"-gdwarf-4", "-gdwarf-2", "-fsanitize=address", "-fsanitize=undefined", "--coverage",
        "-fprofile-arcs", "-fprofile-generate", "-flto", "-save-temps", "-fstack-usage", "-fcallgraph-info",
        "-finstrument-functions-exclude-file-list=x"}) {
    CAPTURE(word);
    CHECK(why(word) == std::string("option ") + word);
  }
  CHECK(why("-frecord-gcc-switches") == "the output holds the command line");
  CHECK(reason(project, plus(kPlain, {"-S", "-fverbose-asm"})) == "option -fverbose-asm");
  for (const char* word :
       {"-g", "-g1", "-g3", "-gz", "-ffunction-sections", "-fdebug-types-section", "-O0", "-Og", "-std=c++20",
        "-fPIC", "-Wall", "-pthread", "-march=x86-64-v2", "-fno-exceptions"}) {
    CAPTURE(word);
    CHECK(why(word) == "");
  }
  project.write("src/y.S", "");
  project.closure = {};
  project.names = {"../../src/y.S"};
  CHECK(reason(project, {"-g", "-c", "../../src/y.S", "-o", "y.o"}) == "option -g of an assembler source");
  CHECK(reason(project, {"-c", "../../src/y.S", "-o", "y.o"}) == "");
}

TEST_CASE("options that are not identical in any folder, clang's") {
  Project project;
  project.use_clang();
  auto why = [&](const Words& words) { return reason(project, plus({"-c", "../../src/x.cc"}, words)); };
  const std::string object = project.root + "/out/a/x.o";
  CHECK(why({"-emit-llvm", "-o", "x.bc"}) == "option -emit-llvm");
  CHECK(why({"-ftime-trace", "-o", "x.o"}) == "option -ftime-trace");
  CHECK(why({"-MJ", "x.json", "-o", "x.o"}) == "the output holds the command line");
  CHECK(why({"--serialize-diagnostics", "x.dia", "-o", "x.o"}) == "option --serialize-diagnostics");
  CHECK(why({"-g", "-gsplit-dwarf", "-o", "x.o"}) == "");
  CHECK(why({"-g", "-gsplit-dwarf", "-o", object}) == "option -gsplit-dwarf with absolute -o");
  CHECK(why({"-grecord-gcc-switches", "-o", "x.o"}) == "the output holds the command line");
  CHECK(why({"-gdwarf-4", "-o", object}) == "");
}

TEST_CASE("only compilers that were measured use the portable form") {
  Project project;
  project.compiler.version = "g++ (GCC) 13.2.0";
  CHECK(reason(project, kPlain).starts_with("not measured with this compiler"));
  for (const char* version : {"15.0.7", "18.1.8"}) {
    project.use_clang(version);
    CHECK(reason(project, kPlain).starts_with("not measured with this compiler"));
  }
  for (const char* version : {"14.0.6", "19.1.7"}) {
    project.use_clang(version);
    CHECK(reason(project, kPlain) == "");
  }
  project.compiler.target = "aarch64-linux-gnu";
  CHECK(reason(project, kPlain).starts_with("not measured with this compiler"));
}

TEST_CASE("facts of the source") {
  Project project;
  for (const std::string& name : project.names) project.add(name);
  inputs::SourceFacts& facts = project.closure.facts;
  const std::string& r = project.root;
  SUBCASE("an include by an absolute path below the root") {
    facts.absolute_includes = {r + "/inc/x.h"};
    CHECK(reason(project, kPlain) == "an include by an absolute path: " + r + "/inc/x.h");
  }
  SUBCASE("an include through a link to the root") {
    link_to(r, project.dir.path() + "/alias");
    facts.absolute_includes = {project.dir.path() + "/alias/inc/x.h"};
    CHECK(reason(project, kPlain).starts_with("an include by an absolute path"));
  }
  SUBCASE("an include that a macro of the command line spells") {
    facts.absolute_includes = {"inc/x.h"};
    CHECK(reason(project, kPlain) == "an include by an absolute path: inc/x.h");
  }
  SUBCASE("an include of a system header by its absolute path") {
    facts.absolute_includes = {project.outside + "/sys.h"};
    CHECK(reason(project, kPlain) == "");
  }
  SUBCASE("#line with an absolute path, and a map") {
    facts.absolute_lines = {"/gen/x.y"};
    CHECK(reason(project, kPlain) == "");
    CHECK(reason(project, plus(kPlain, {"-ffile-prefix-map=" + r + "=."})) ==
          "#line names an absolute path: /gen/x.y");
  }
  SUBCASE("#line with a path below the root is not shared") {
    facts.absolute_lines = {r + "/x.y"};
    remote::Action a = project.action(kPlain);
    CHECK(a.portable);
    CHECK(!a.shared);
  }
  SUBCASE("a system header whose real path is shorter than its name, g++") {
    std::string spelled = r + "/very/../inc/x.h";
    std::filesystem::create_directories(r + "/very");
    inputs::Input& input = project.add(spelled);
    CHECK(reason(project, kPlain) == "");
    input.by_system_dir = true;
    CHECK(reason(project, kPlain) == "a system header whose real path is shorter: " + spelled);
    project.use_clang();
    CHECK(reason(project, kPlain) == "");
  }
  SUBCASE("a precompiled header") {
    project.write("inc/pre.h.gch", "");
    project.add("../../inc/pre.h.gch");
    CHECK(reason(project, kPlain) == "a precompiled header: " + r + "/inc/pre.h.gch");
  }
}

TEST_CASE("symbolic links below the root travel when they lead to the same place in any folder") {
  Project project;
  const std::string& r = project.root;
  auto with_link = [&](const std::string& target) {
    std::filesystem::remove(r + "/link");
    link_to(target, r + "/link");
    project.closure = {};
    project.index.refresh();
    project.add("../../src/x.cc");
    project.add("../../link/x.h");
    return project.action(kPlain);
  };
  remote::Action a = with_link("inc");
  CHECK(a.absolute_because == "");
  Words tree = tree_of(a);
  CHECK(has(tree, "link -> inc"));
  CHECK(has(tree, "inc/x.h"));
  CHECK(with_link("./src/../inc").portable);
  CHECK(with_link(r + "/inc").absolute_because == "a symbolic link that leaves the root: " + r + "/link");
  CHECK(with_link("../proj/inc").absolute_because == "a symbolic link that leaves the root: " + r + "/link");
}

TEST_CASE("variables that name the root") {
  Project project;
  project.env.push_back("CPATH=" + project.root + "/inc");
  CHECK(reason(project, kPlain) == "the root stands in variable CPATH");
  project.env.back() = "CPATH=../../inc";
  CHECK(reason(project, kPlain) == "");
  project.env.back() = "PWD=" + project.directory;
  CHECK(reason(project, kPlain) == "");
}
