#include "remote/depfile_text.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/fd.h"
#include "base/spawn.h"
#include "fake/temp_dir.h"
#include "remote/action.h"

namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

struct Tool {
  const char* path;
  compiler::Family family;
};

// Those of the compilers that are installed here.
std::vector<Tool> tools() {
  std::vector<Tool> found;
  for (const Tool& tool :
       {Tool{"/usr/bin/gcc", compiler::Family::gcc}, Tool{"/usr/bin/clang-14", compiler::Family::clang},
        Tool{"/usr/bin/clang-19", compiler::Family::clang}}) {
    if (::access(tool.path, X_OK) == 0) found.push_back(tool);
  }
  return found;
}

// The depfile that a real compiler writes.
std::string real_depfile(const Tool& tool, const std::string& directory, Words words,
                         const std::string& kind = "-MD") {
  std::string file = directory + "/text.d";
  fs::remove(file);
  words.insert(words.begin(), {tool.path, "-w", "-fsyntax-only", kind, "-MF", file});
  base::Result<base::SpawnOutcome> run =
      base::real_spawner().run({words, {"PATH=/usr/bin:/bin"}, directory, "", std::chrono::seconds(60)}, {});
  REQUIRE(run);
  REQUIRE_MESSAGE(run->exit_code == 0, run->err);
  return *base::read_file(file);
}

remote::DepfileText parsed(const std::string& text) {
  base::Result<remote::DepfileText> depfile = remote::parse_depfile(text);
  REQUIRE_MESSAGE(depfile, text);
  return *depfile;
}

void write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  REQUIRE(base::write_file_atomic(path, text));
}

// A source that includes headers with these names.
void write_project(const std::string& directory, const Words& headers) {
  std::string source;
  for (const std::string& header : headers) {
    write(directory + "/inc/" + header, "");
    source += "#include \"inc/" + header + "\"\n";
  }
  write(directory + "/a.c", source);
}

Words random_headers(std::mt19937& random, int most) {
  Words names;
  int count = static_cast<int>(random() % static_cast<unsigned>(most));
  for (int i = 0; i < count; ++i) {
    std::string name(1 + random() % 70, static_cast<char>('a' + random() % 26));
    if (random() % 6 == 0) name[random() % name.size()] = " $#%=:+'&"[random() % 9];
    names.push_back(std::to_string(i) + name + ".h");
  }
  return names;
}

Words random_targets(std::mt19937& random) {
  Words words;
  for (unsigned i = random() % 4; i > 0; --i) {
    std::string name(1 + random() % 60, static_cast<char>('a' + random() % 26));
    if (random() % 3 == 0) name[random() % name.size()] = "$#:"[random() % 3];
    words.push_back(random() % 2 == 0 ? "-MT" : "-MQ");
    words.push_back(name + ".o");
  }
  return words;
}

}  // namespace

TEST_CASE("a depfile is read") {
  remote::DepfileText depfile =
      parsed("x.o y.o: a.c \\\n inc/b\\ c.h d$$e.h \\\n  f\\#g.h h\\\\\\ i.h j\\k.h\n");
  CHECK(depfile.targets == Words{"x.o", "y.o"});
  CHECK(depfile.dependencies == Words{"a.c", "inc/b c.h", "d$e.h", "f#g.h", "h\\ i.h", "j\\k.h"});
  CHECK(!depfile.phony);
  CHECK(depfile.main == 0);
}

TEST_CASE("phony rules are read, and the one dependency that has none is the source") {
  CHECK(parsed("x.o: a.c b.h\nb.h:\n").phony);
  CHECK(parsed("x.o: a.c b.h\nb.h:\n").main == 0);
  CHECK(parsed("x.o: list.txt a.c b.h\nlist.txt:\nb.h:\n").main == 1);
  CHECK(parsed("x.o: b.h a.c\nb.h:\n").main == 1);
  CHECK(parsed("x.o: a.c b.h\n\nb.h:\n").spaced);
  CHECK(!parsed("x.o: a.c b.h\nb.h:\n").spaced);
}

TEST_CASE("a colon inside a target is part of it") {
  CHECK(parsed("c:x.o: a.c\n").targets == Words{"c:x.o"});
  CHECK(parsed("x.o : a.c\n").targets == Words{"x.o"});
}

TEST_CASE("dependencies are read one by one") {
  auto rest = [](const std::string& text) {
    remote::DependencyReader rule(text);
    Words names;
    while (std::optional<std::string_view> name = rule.next()) names.emplace_back(*name);
    CHECK(names == parsed(text).dependencies);
    return std::string(rule.rest());
  };
  CHECK(rest("x.o: a.c inc/b\\ c.h d$$e.h f.h \\\n inc/b\\ d.h\n").empty());
  CHECK(rest("x.o: a.c").empty());
  CHECK(rest("x.o:\n").empty());
  CHECK(rest("x.o: a.c b.h\nb.h:\n") == "b.h:\n");
  for (const char* text : {"", "a.c b.h\n", "\nx.o: a.c\n"}) {
    remote::DependencyReader none(text);
    CHECK_FALSE(none.is_rule());
    CHECK_FALSE(none.next());
    CHECK(none.rest().empty());
  }
}

TEST_CASE("what is no depfile is refused") {
  for (const char* text : {"", "\n", "a.c b.h\n", "x.o: a.c\ny.o: b.c\n", "x.o: a.c\nb.h:\n",
                           "\x7f"
                           "ELF"}) {
    CAPTURE(text);
    base::Result<remote::DepfileText> depfile = remote::parse_depfile(text);
    REQUIRE(!depfile);
    CHECK(depfile.error().kind == base::ErrorKind::invalid);
  }
}

TEST_CASE("what each compiler writes is laid out again byte for byte") {
  std::mt19937 random(11);
  for (const Tool& tool : tools()) {
    for (int round = 0; round < 12; ++round) {
      fake::TempDir dir;
      write_project(dir.path(), random_headers(random, 30));
      Words words = random_targets(random);
      if (random() % 2 == 0) words.push_back("-MP");
      words.push_back("a.c");
      std::string text = real_depfile(tool, dir.path(), words);
      CAPTURE(tool.path);
      CHECK(remote::make_depfile(parsed(text), tool.family) == text);
    }
  }
}

TEST_CASE("names with every awkward byte survive") {
  Words headers{"a b.h", "a$b.h", "a#b.h",       "a:b.h", "a  b.h",
                "a%b.h", "a=b.h", "a'b.h",       "(x).h", "a&b.h",
                "$$.h",  "#.h",   "trailing .h", "~.h",   std::string(90, 'l') + " $ #.h"};
  for (const Tool& tool : tools()) {
    fake::TempDir dir;
    Words names = headers;
    // clang turns backslashes into slashes.
    if (tool.family == compiler::Family::gcc) {
      names.insert(names.end(), {"a\\b.h", "a\\ b.h", "a\\\\ b.h", "a\\#b.h", "a\\$b.h"});
    }
    write_project(dir.path(), names);
    std::string text = real_depfile(tool, dir.path(), {"-MP", "a.c"});
    remote::DepfileText depfile = parsed(text);
    CAPTURE(tool.path);
    for (const std::string& name : names) {
      CHECK(std::count(depfile.dependencies.begin(), depfile.dependencies.end(), "inc/" + name) == 1);
    }
    CHECK(remote::make_depfile(depfile, tool.family) == text);
  }
}

TEST_CASE("every column near the end of a line is where the compiler ends it") {
  for (const Tool& tool : tools()) {
    fake::TempDir dir;
    write_project(dir.path(), {"x.h", "yy.h"});
    for (std::size_t length = 40; length < 80; ++length) {
      std::string text =
          real_depfile(tool, dir.path(), {"-MT", std::string(length, 't'), "-MT", "second", "a.c"});
      CAPTURE(tool.path);
      CAPTURE(length);
      CHECK(remote::make_depfile(parsed(text), tool.family) == text);
    }
  }
}

TEST_CASE("the depfile of one checkout, moved to another, is what the compiler writes there") {
  std::mt19937 random(5);
  for (const Tool& tool : tools()) {
    fake::TempDir dir;
    std::string one = dir.path() + "/one";
    std::string two = dir.path() + "/another/checkout/with/a/much-longer-name";
    Words headers = random_headers(random, 40);
    auto text_in = [&](const std::string& root) {
      write_project(root, headers);
      return real_depfile(tool, root, {"-MP", "-MT", root + "/a.o", "-I", root, root + "/a.c"});
    };
    std::string here = text_in(one);
    std::string there = text_in(two);
    CHECK(here != there);
    remote::Roots from{one, "/proc/self/cwd/.."};
    remote::Roots to{two, "/proc/self/cwd/.."};
    remote::DepfileText depfile = parsed(here);
    for (std::string& path : depfile.dependencies)
      path = remote::from_alias(remote::to_alias(path, from), to);
    for (std::string& target : depfile.targets)
      target = remote::from_alias(remote::to_alias(target, from), to);
    CHECK(remote::make_depfile(depfile, tool.family) == there);
  }
}

TEST_CASE("without its system headers, -MD's text is -MMD's") {
  std::mt19937 random(3);
  for (const Tool& tool : tools()) {
    for (int round = 0; round < 4; ++round) {
      fake::TempDir dir;
      Words headers = random_headers(random, 20);
      write_project(dir.path(), headers);
      std::string source = "#include <stddef.h>\n#include <limits.h>\n" +
                           *base::read_file(dir.path() + "/a.c") + "#include <stdio.h>\n#include \"sys.h\"\n";
      write(dir.path() + "/sys/sys.h", "");
      write(dir.path() + "/a.c", source);
      Words words = random_targets(random);
      if (round % 2 == 0) words.push_back("-MP");
      words.insert(words.end(), {"-isystem", "sys", "a.c"});
      std::string all = real_depfile(tool, dir.path(), words);
      std::string user = real_depfile(tool, dir.path(), words, "-MMD");
      remote::DepfileText depfile = parsed(all);
      Words kept;
      for (const std::string& name : depfile.dependencies) {
        if (name == "a.c" || name.starts_with("inc/")) kept.push_back(name);
      }
      CHECK(kept.size() < depfile.dependencies.size());
      depfile.dependencies = kept;
      CHECK(remote::make_depfile(depfile, tool.family) == user);
    }
  }
}
