#include "remote/portability.h"

#include "unit/remote/project.h"

// What decides between the two forms, row by row. That the portable form gives the same bytes is shown by
// portable_bytes_test.cc.

namespace {

using Words = std::vector<std::string>;

const Words kPlain{"-O2", "-c", "../../src/x.cc", "-o", "x.o"};

Words plus(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string reason(Project& project, const Words& words) {
  remote::Action action = project.action(words);
  CHECK(action.portable == action.absolute_because.empty());
  CHECK((action.portable || !action.shared));
  return action.absolute_because;
}

void link_to(const std::string& target, const std::string& path) {
  std::filesystem::create_symlink(target, path);
}

}  // namespace

TEST_CASE("paths below the root are spelled through its alias, everything else stays") {
  Project project;
  const std::string& r = project.root;
  remote::Action a = project.action({"-O2", "-I" + r + "/inc", "-I", "../../inc", "-isystem", r + "/sys//x",
                                     "-iquote" + r, "-I" + project.outside, "-DROOT=\"" + r + "\"", "-c",
                                     r + "/src/x.cc", "-o", r + "/out/a/x.o"});
  REQUIRE(a.absolute_because == "");
  const std::string u = "/proc/self/cwd/../..";
  CHECK(arguments_of(a) == Words{"/usr/bin/g++",
                                 "-fdiagnostics-color=always",
                                 "-fdebug-prefix-map=" + u + "=" + r,
                                 "-fmacro-prefix-map=" + u + "=" + r,
                                 "-MD",
                                 "-MF",
                                 u + "/out/a/x.o.goma.d",
                                 "-O2",
                                 "-I" + u + "/inc",
                                 "-I",
                                 "../../inc",
                                 "-isystem",
                                 u + "/sys//x",
                                 "-iquote" + u,
                                 "-I" + project.outside,
                                 "-DROOT=\"" + r + "\"",
                                 "-c",
                                 u + "/src/x.cc",
                                 "-o",
                                 u + "/out/a/x.o"});
  CHECK(outputs_of(a) == Words{"x.o", "x.o.goma.d"});
  CHECK(!a.shared);
}

TEST_CASE("the working directory in debug information") {
  Project project;
  SUBCASE("g++ maps it") {
    CHECK(has(arguments_of(project.action(plus(kPlain, {"-g"}))),
              "-fdebug-prefix-map=/proc/self/cwd=" + project.directory));
  }
  SUBCASE("clang is told") {
    project.use_clang();
    CHECK(has(arguments_of(project.action(plus(kPlain, {"-g"}))),
              "-fdebug-compilation-dir=" + project.directory));
  }
  SUBCASE("as PWD names it") {
    link_to(project.directory, project.dir.path() + "/wd");
    project.env.push_back("PWD=" + project.dir.path() + "/wd");
    CHECK(has(arguments_of(project.action(plus(kPlain, {"-g"}))),
              "-fdebug-prefix-map=/proc/self/cwd=" + project.dir.path() + "/wd"));
  }
  SUBCASE("after the user's maps") {
    Words words = plus(kPlain, {"-g", "-fdebug-prefix-map=" + project.root + "=."});
    CHECK(has(arguments_of(project.action(words)), "-fdebug-prefix-map=/proc/self/cwd=./out/a"));
  }
  SUBCASE("not without debug information") {
    for (const std::string& word : arguments_of(project.action(kPlain))) {
      CHECK(word.find("prefix-map") == std::string::npos);
    }
  }
  SUBCASE("a name that needs quoting") {
    link_to(project.directory, project.dir.path() + "/w d");
    project.env.push_back("PWD=" + project.dir.path() + "/w d");
    CHECK(reason(project, plus(kPlain, {"-g"})).starts_with("the working directory's name"));
    CHECK(reason(project, kPlain) == "");
  }
}

TEST_CASE("a build with debug information is shared when the user's maps cover the root") {
  Project one("one");
  Project two("elsewhere/deep/two");
  two.names[2] = one.outside + "/sys.h";
  auto words = [](const Project& project, const Words& maps) {
    Words out{"-g", "-O2", "-c", project.root + "/src/x.cc", "-o", "x.o"};
    for (std::string map : maps) {
      for (std::size_t at = map.find("ROOT"); at != std::string::npos; at = map.find("ROOT")) {
        map.replace(at, 4, project.root);
      }
      out.push_back(map);
    }
    return out;
  };
  auto shared = [&](const Words& maps) {
    remote::Action a = one.action(words(one, maps));
    remote::Action b = two.action(words(two, maps));
    CHECK(a.shared == (a.digest == b.digest));
    CHECK(a.portable);
    return a.shared;
  };
  CHECK(shared({"-ffile-prefix-map=ROOT=."}));
  CHECK(shared({"-ffile-prefix-map=ROOT/="}));
  CHECK(shared({"-fdebug-prefix-map=ROOT=.", "-fmacro-prefix-map=ROOT=x"}));
  // __FILE__ still holds the root.
  CHECK(!shared({"-fdebug-prefix-map=ROOT=."}));
  CHECK(!shared({"-fmacro-prefix-map=ROOT=."}));
  CHECK(!shared({"-ffile-prefix-map=ROOT/out/a=."}));
  CHECK(!shared({"-ffile-prefix-map=ROOT=ROOT"}));
  CHECK(!shared({"-ffile-prefix-map=ROOT=.", "-DR=ROOT"}));
  CHECK(!shared({}));
}

TEST_CASE("the user's maps, rewritten") {
  Project project;
  const std::string u = "/proc/self/cwd/../..";
  auto rewritten = [&](const std::string& map) {
    Words words = arguments_of(project.action({"-c", project.root + "/src/x.cc", "-o", "x.o", map}));
    return words.back();
  };
  const std::string& r = project.root;
  CHECK(rewritten("-ffile-prefix-map=" + r + "=.") == "-ffile-prefix-map=" + u + "=.");
  CHECK(rewritten("-ffile-prefix-map=" + r + "/=") == "-ffile-prefix-map=" + u + "/=");
  CHECK(rewritten("-fdebug-prefix-map=" + r + "/out/a=b=c") == "-fdebug-prefix-map=" + u + "/out/a=b=c");
  CHECK(rewritten("-fmacro-prefix-map=" + r + "2=x") == "-fmacro-prefix-map=" + r + "2=x");
  CHECK(rewritten("-fmacro-prefix-map=../..=x") == "-fmacro-prefix-map=../..=x");
  // A parent: what is left of the root follows NEW.
  project.names.pop_back();
  project.closure = {};
  std::string parent = project.dir.path();
  CHECK(rewritten("-fmacro-prefix-map=" + parent + "=H") == "-fmacro-prefix-map=" + u + "=H/proj");
  CHECK(rewritten("-fmacro-prefix-map=" + parent + "/pr=H") == "-fmacro-prefix-map=" + u + "=Hoj");
}

TEST_CASE("maps of our own stand before the user's and only where his leave the root uncovered") {
  Project project;
  auto words = [&](const std::string& map) {
    return arguments_of(project.action({"-g", "-c", project.root + "/src/x.cc", "-o", "x.o", map}));
  };
  const std::string u = "/proc/self/cwd/../..";
  const std::string& r = project.root;
  Words a = words("-fdebug-prefix-map=" + r + "=.");
  CHECK(!has(a, "-fdebug-prefix-map=" + u + "=" + r));
  CHECK(a[2] == "-fdebug-prefix-map=/proc/self/cwd=./out/a");
  CHECK(a[3] == "-fmacro-prefix-map=" + u + "=" + r);
  Words b = words("-ffile-prefix-map=" + r + "/out/a=.");
  CHECK(b[2] == "-fdebug-prefix-map=/proc/self/cwd=.");
  CHECK(b[3] == "-fdebug-prefix-map=" + u + "=" + r);
  CHECK(b[4] == "-fmacro-prefix-map=" + u + "=" + r);
}

TEST_CASE("maps that rule the portable form out") {
  Project project;
  const std::string& r = project.root;
  auto why = [&](const Words& maps) {
    return reason(project, plus({"-g", "-c", r + "/src/x.cc", "-o", "x.o"}, maps));
  };
  CHECK(why({"-ffile-prefix-map=" + r + "=.", "-fdebug-prefix-map=" + r + "=x"}) ==
        "two prefix maps cover the root");
  CHECK(why({"-fdebug-prefix-map=" + r + "=.", "-fdebug-prefix-map=" + r + "/out=x"}) ==
        "two prefix maps fit the working directory");
  CHECK(why({"-ffile-prefix-map=" + project.dir.path() + "=H"}).starts_with("a prefix map also fits"));
  CHECK(why({"-I" + r + "2", "-ffile-prefix-map=" + r + "=H"}).starts_with("a prefix map also fits"));
  // clang 14 tries maps in no order that could be told.
  CHECK(why({"-fdebug-prefix-map=" + r + "/src=x"}) == "");
  project.use_clang("14.0.6");
  CHECK(why({"-fdebug-prefix-map=" + r + "/src=x"}) == "this compiler gives no order to prefix maps");
  project.use_clang("19.1.7");
  CHECK(why({"-fdebug-prefix-map=" + r + "/src=x"}) == "");
}

TEST_CASE("spellings that stray from the root") {
  Project project;
  const std::string& r = project.root;
  link_to(r, project.dir.path() + "/alias");
  std::string strays = "a path that strays from the root: ";
  auto why = [&](const std::string& word) { return reason(project, plus(kPlain, {word})); };
  CHECK(why("-I" + project.dir.path() + "/alias/inc") == strays + "-I" + project.dir.path() + "/alias/inc");
  CHECK(why("-I" + r + "/../proj/inc") == strays + "-I" + r + "/../proj/inc");
  CHECK(why("-I../../../proj/inc") == strays + "-I../../../proj/inc");
  CHECK(why("-I../../..") == strays + "-I../../..");
  CHECK(why("-I/") == strays + "-I/");
  CHECK(why("-I../../inc/../src") == "");
  CHECK(why("-I" + r + "/inc/../src") == "");
  CHECK(why("-I../../../outside") == "");
  CHECK(why("-I../../missing") == "");
  CHECK(why("-I" + r + "2") == "");
  CHECK(why("-I/missing") == "");
}

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

TEST_CASE("the exec root is the nearest marked folder above the source and the working directory") {
  Project project;
  auto root = [&] {
    inputs::Trail trail;
    project.index.refresh();
    return remote::find_roots(project.command(kPlain), project.settings, project.index, trail).root;
  };
  CHECK(root() == project.root);
  for (const char* marker : {".goma.json", ".gn", ".hg", ".jj"}) {
    std::filesystem::remove_all(project.root + "/.git");
    project.write(marker, "");
    CHECK(root() == project.root);
    std::filesystem::remove_all(project.root + "/" + marker);
  }
  // One below only one of the two does not count.
  std::filesystem::create_directories(project.root + "/src/.git");
  CHECK(root() == project.root);
  std::filesystem::create_directories(project.dir.path() + "/.git");
  CHECK(root() == project.dir.path());
  std::filesystem::create_directories(project.root + "/.git");
  CHECK(root() == project.root);
  project.settings.exec_root = project.dir.path();
  CHECK(root() == project.dir.path());
  project.settings.exec_root = project.dir.path() + "/missing";
  CHECK(root() == "");
  project.settings.exec_root = "/";
  CHECK(root() == "");
  project.settings.exec_root = "/usr";
  CHECK(root() == "");
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
  CHECK(why({"-MJ", "x.json", "-o", "x.o"}) == "option -MJ");
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

TEST_CASE("the depfile's words that name the root") {
  Project project;
  const std::string& r = project.root;
  const std::string u = "/proc/self/cwd/../..";
  Words words =
      arguments_of(project.action(plus(kPlain, {"-MD", "-MF", r + "/x.d", "-MT", r + "/x.o", "-MQx.o"})));
  CHECK(Words(words.end() - 6, words.end()) == Words{"-MD", "-MF", u + "/x.d", "-MT", u + "/x.o", "-MQx.o"});
  Words user = arguments_of(project.action(plus(kPlain, {"-MMD", "-MF" + r + "/x.d", "-MT" + r + "/x.o"})));
  CHECK(has(user, u + "/x.o"));
  CHECK(!has(user, "-MMD"));
  CHECK(reason(project, plus(kPlain, {"-Wp,-MD," + r + "/x.d"})).starts_with("the root stands in"));
}
