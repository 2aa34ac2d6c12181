#include "remote/arguments.h"

#include "unit/remote/project.h"

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

TEST_CASE("colour flags are no part of the key") {
  Project project;
  base::Digest before = project.key(kPlain);
  for (const char* flag : {"-fdiagnostics-color", "-fdiagnostics-color=never", "-fno-diagnostics-color",
                           "-fdiagnostics-color=auto"}) {
    CHECK(project.key(plus(kPlain, {flag})) == before);
  }
}

TEST_CASE("a user's depfile with everything in it stays, and is an output") {
  Project project;
  remote::Action a = project.action(plus(kPlain, {"-MD", "-MT", "t", "-MF", "x.d"}));
  CHECK(arguments_of(a) == Words{"/usr/bin/g++", "-fdiagnostics-color=always", "-O2", "-c", "../../src/x.cc",
                                 "-o", "x.o", "-MD", "-MT", "t", "-MF", "x.d"});
  CHECK(outputs_of(a) == Words{"x.d", "x.o"});
  CHECK(remote::private_depfile(project.command(plus(kPlain, {"-MD"})), a) == "");
}

TEST_CASE("a user's depfile without system headers is replaced by a private one with the same targets") {
  Project project;
  Words tail{"-O2", "-c", "../../src/x.cc", "-o", "x.o"};
  Words head{"/usr/bin/g++", "-fdiagnostics-color=always", "-MD", "-MF", "x.o.goma.d"};
  auto expect = [&](const Words& flags, const Words& targets) {
    remote::Action a = project.action(plus(kPlain, flags));
    CHECK(arguments_of(a) == plus(plus(head, targets), tail));
    CHECK(outputs_of(a) == Words{"x.o", "x.o.goma.d"});
  };
  expect({"-MMD"}, {"-MT", "x.o"});
  expect({"-MMD", "-MF", "deps/x.d"}, {"-MT", "x.o"});
  expect({"-MMD", "-MP", "-MT", "a", "-MQ", "b$c"}, {"-MT", "a", "-MT", "b$$c", "-MP"});
  expect({"-MMD", "-MFx.d", "-MTa"}, {"-MT", "a"});
  expect({"-Wp,-MMD,x.d", "-MT", "a"}, {"-MT", "a"});
}

TEST_CASE("what is not preprocessed has no private depfile") {
  Project project;
  project.write("src/x.ii", "int x;\n");
  project.names = {"../../src/x.ii"};
  remote::Action a = project.action({"-c", "../../src/x.ii", "-o", "x.o"});
  CHECK(outputs_of(a) == Words{"x.o"});
}

TEST_CASE("a command that records itself runs verbatim, in the absolute form") {
  Project project;
  Words words = plus(kPlain, {"-frecord-gcc-switches", "-fdiagnostics-color=never", "-MMD"});
  remote::Action a = project.action(words);
  CHECK(!a.portable);
  CHECK(arguments_of(a) == plus({"/usr/bin/g++"}, words));
  CHECK(outputs_of(a) == Words{"x.d", "x.o"});
}
