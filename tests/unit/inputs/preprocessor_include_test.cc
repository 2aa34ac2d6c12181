#include <doctest/doctest.h>

#include "fake/fake_watcher.h"
#include "fake/scan_fixture.h"

using compiler::Family;
using fake::ScanFixture;
namespace {

// Files of which a watcher tells, so that what is known of them is used without a look.
struct Told {
  std::unique_ptr<fake::FakeWatcher> made = std::make_unique<fake::FakeWatcher>();
  fake::FakeWatcher& watcher = *made;
  ScanFixture scan{Family::gcc, std::move(made)};

  void write(const std::string& name, const std::string& text) {
    scan.files.write("/w/" + name, text);
    watcher.tell(inputs::Watcher::Kind::entry, "/w", name);
    watcher.tell(inputs::Watcher::Kind::content, "/w", name);
    watcher.tell(inputs::Watcher::Kind::content, "/w/" + name);
  }
};

// d1/a.h includes "b.h" beside it, which asks for the next b.h.
void nested_next(ScanFixture& scan) {
  scan.files.write("/w/main.cc", "#include <a.h>\n");
  scan.files.write("/w/d1/a.h", "#include \"b.h\"\n");
  scan.files.write("/w/d1/b.h", "#include_next \"b.h\"\n");
  scan.files.write("/w/d2/b.h", "");
  scan.files.write("/w/d3/b.h", "");
  scan.angle("d2");
  scan.angle("d1");
  scan.angle("d3");
}

}  // namespace

TEST_CASE("#include_next in a file found beside its includer: gcc begins anew, clang goes on") {
  ScanFixture gcc(Family::gcc);
  nested_next(gcc);
  CHECK(gcc.listed() == "main.cc d1/a.h d1/b.h d2/b.h");
  ScanFixture clang(Family::clang);
  nested_next(clang);
  CHECK(clang.listed() == "main.cc d1/a.h d1/b.h d3/b.h");
}

TEST_CASE("a chain of #include_next visits each directory once") {
  for (Family family : {Family::gcc, Family::clang}) {
    ScanFixture scan(family);
    scan.files.write("/w/main.cc", "#include <x.h>\n#include_next <x.h>\n");
    for (const char* dir : {"a", "b", "c"}) {
      scan.files.write(std::string("/w/") + dir + "/x.h",
                       "#pragma once\n" + std::string(*dir == 'c' ? "" : "#include_next <x.h>\n// ") + dir);
      scan.angle(dir);
    }
    CHECK(scan.listed() == "main.cc a/x.h b/x.h c/x.h");
  }
}

TEST_CASE_FIXTURE(ScanFixture, "a forced include is looked for in the working directory first") {
  files.write("/w/src/main.cc", "");
  files.write("/w/pre.h", "#include \"beside.h\"\n");
  files.write("/w/beside.h", "");
  files.write("/w/src/pre.h", "");
  command.source = "src/main.cc";
  command.forced = {{"pre.h", false}};
  CHECK(listed() == "src/main.cc pre.h beside.h");
}

TEST_CASE("once-only: the same file by another name is not read again") {
  for (Family family : {Family::gcc, Family::clang}) {
    ScanFixture scan(family);
    scan.files.write("/w/main.cc",
                     "#include \"x/o.h\"\n#include \"y/o.h\"\n#import \"x/i.h\"\n#import \"x/i.h\"\n");
    scan.files.write("/w/x/o.h", "#pragma once\n#include \"s.h\"\n");
    scan.files.write("/w/x/s.h", "");
    scan.files.write("/w/x/i.h", "#ifdef I\n#include \"none\"\n#endif\n#define I\n");
    scan.files.make_directory("/w/y");
    scan.files.link("/w/y/o.h", "../x/o.h");
    // clang's depfile names what it passes over, gcc's does not.
    CHECK(scan.listed() ==
          (family == Family::gcc ? "main.cc x/o.h x/s.h x/i.h" : "main.cc x/o.h x/s.h y/o.h x/i.h"));
  }
}

TEST_CASE_FIXTURE(ScanFixture, "gcc: two once-only files of equal content are refused") {
  files.write("/w/main.cc", "#include \"x/o.h\"\n#include \"y/o.h\"\n");
  files.write("/w/x/o.h", "#pragma once\n");
  files.write("/w/y/o.h", "#pragma once\n");
  CHECK(listed() == "refused: once_equal_files");
  files.write("/w/y/o.h", "#pragma once\n\n");
  CHECK(listed() == "main.cc x/o.h y/o.h");
}

TEST_CASE_FIXTURE(ScanFixture, "system headers are those of system directories and what they include") {
  files.write("/w/main.cc", "#include <s.h>\n#include \"u.h\"\n");
  files.write("/w/sys/s.h", "#include \"t.h\"\n#include <u2.h>\n");
  files.write("/w/sys/t.h", "");
  files.write("/w/u.h", "#pragma GCC system_header\n#include \"v.h\"\n");
  files.write("/w/v.h", "");
  files.write("/w/user/u2.h", "");
  search(compiler::SearchDir::Kind::system, "sys");
  angle("user");
  auto closure = scan();
  REQUIRE(closure);
  std::string user;
  for (const inputs::Input& input : closure->inputs) {
    if (!input.system) user += input.spelled + " ";
    CHECK(input.by_system_dir == input.spelled.starts_with("sys/"));
  }
  CHECK(user == "main.cc u.h ");
}

TEST_CASE_FIXTURE(ScanFixture, "a precompiled header in the way is refused, for the first include alone") {
  files.write("/w/main.cc", "#include \"a.h\"\n#include \"b.h\"\n");
  files.write("/w/a.h", "");
  files.write("/w/b.h", "");
  files.write("/w/b.h.gch", "");
  CHECK(listed() == "main.cc a.h b.h");
  files.write("/w/a.h.gch", "");
  CHECK(listed() == "refused: precompiled_header");
}

TEST_CASE("older clang names a directory as it first saw it") {
  ScanFixture scan(Family::clang);
  scan.dialect.predefined = "#define __clang_major__ 14\n#define __cplusplus 201703L\n";
  scan.files.write("/w/sub/main.cc", "#include \"../sub/s.h\"\n");
  scan.files.write("/w/sub/s.h", "#include \"y.h\"\n");
  scan.files.write("/w/sub/y.h", "");
  scan.command.source = "sub/main.cc";
  CHECK(scan.listed() == "sub/main.cc sub/../sub/s.h sub/y.h");
  scan.dialect.predefined = "#define __clang_major__ 19\n#define __cplusplus 201703L\n";
  scan.dialect.id = 2;
  CHECK(scan.listed() == "sub/main.cc sub/../sub/s.h sub/../sub/y.h");
}

TEST_CASE("blanks in a computed name: gcc takes those of the text, clang those of the expansion") {
  const std::string text =
      "#define F(x) <x.h>\n#define A a\n#define P <d/ A.h>\n#include F( a)\n#include P\n";
  ScanFixture gcc(Family::gcc);
  gcc.files.write("/w/main.cc", text);
  gcc.files.write("/w/ a.h", "");
  gcc.files.write("/w/d/a.h", "");
  gcc.files.write("/w/a.h", "");
  gcc.angle(".");
  CHECK(gcc.listed() == "main.cc  a.h d/a.h");
  ScanFixture clang(Family::clang);
  clang.files.write("/w/main.cc", text);
  clang.files.write("/w/a.h", "");
  clang.files.write("/w/d/ a.h", "");
  clang.angle(".");
  CHECK(clang.listed() == "main.cc a.h d/ a.h");
}

TEST_CASE_FIXTURE(Told, "the directives of a file are those of its present content") {
  write("main.cc", "#include \"a.h\"\n");
  write("a.h", "#include \"b.h\"\n");
  write("b.h", "");
  write("c.h", "");
  CHECK(scan.listed() == "main.cc a.h b.h");
  CHECK(scan.listed() == "main.cc a.h b.h");
  write("a.h", "#include \"c.h\"\n");
  CHECK(scan.listed() == "main.cc a.h c.h");
  // A change whose notice was lost.
  scan.files.write("/w/a.h", "#include \"b.h\"\n#include \"c.h\"\n");
  watcher.lose();
  CHECK(scan.listed() == "main.cc a.h b.h c.h");
  write("a.h", "#pragma once\n#include \"a.h\"\n");
  CHECK(scan.listed() == "main.cc a.h");
  CHECK(scan.listed() == "main.cc a.h");
}

TEST_CASE_FIXTURE(Told, "the directives of a file are those of the scan's language") {
  write("main.cc", "#include \"a.h\"\n");
  write("a.h", "#ifndef A\n#elifdef B\n#include \"b.h\"\n#endif\n");
  write("b.h", "");
  const std::string predefined = scan.dialect.predefined;
  for (int round = 0; round < 2; ++round) {
    CHECK(scan.listed() == "main.cc a.h");
    // gcc has no #elifdef in a strict C++17.
    scan.dialect.id = 2;
    scan.dialect.predefined = predefined + "#define __STRICT_ANSI__ 1\n";
    CHECK(scan.listed() == "main.cc a.h b.h");
    scan.dialect.id = 1;
    scan.dialect.predefined = predefined;
  }
}
