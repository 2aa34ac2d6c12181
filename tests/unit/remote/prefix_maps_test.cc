#include "remote/prefix_maps.h"

#include "unit/remote/project.h"

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
