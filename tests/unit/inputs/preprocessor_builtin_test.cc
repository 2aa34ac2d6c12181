#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

using compiler::Family;
using fake::ScanFixture;

TEST_CASE("__has_include tells, and what it finds is an input") {
  for (Family family : {Family::gcc, Family::clang}) {
    ScanFixture scan(family);
    scan.files.write(
        "/w/main.cc",
        "#define H <h.h>\n#if __has_include(\"a.h\") && !__has_include(<no.h>)\n#include \"b.h\"\n"
        "#endif\n#if defined(__has_include) && __has_include(H)\n#include \"c.h\"\n#endif\n");
    for (const char* name : {"/w/a.h", "/w/b.h", "/w/c.h", "/w/i/h.h"}) scan.files.write(name, "");
    scan.angle("i");
    // clang's depfile names it, gcc's does not.
    CHECK(scan.listed() == (family == Family::gcc ? "main.cc b.h c.h" : "main.cc a.h b.h i/h.h c.h"));
    CHECK(scan.scan()->inputs.size() == 5);
  }
}

TEST_CASE_FIXTURE(ScanFixture, "__has_include_next looks behind the file's directory") {
  files.write("/w/main.cc", "#include <a.h>\n");
  files.write("/w/one/a.h",
              "#if __has_include_next(<a.h>)\n#include_next <a.h>\n#endif\n#if __has_include_next(<b.h>)\n"
              "#include \"none\"\n#endif\n");
  files.write("/w/one/b.h", "");
  files.write("/w/two/a.h", "");
  angle("one");
  angle("two");
  CHECK(listed() == "main.cc one/a.h two/a.h");
}

TEST_CASE_FIXTURE(ScanFixture, "a header that is probed for in vain is watched") {
  files.write("/w/main.cc", "#if __has_include(\"late.h\")\n#include \"late.h\"\n#endif\n");
  CHECK(listed() == "main.cc");
  files.write("/w/late.h", "");
  CHECK(listed() == "main.cc late.h");
}

TEST_CASE_FIXTURE(ScanFixture, "files and levels have their values") {
  files.write("/w/main.cc",
              "#if __INCLUDE_LEVEL__ == 0 && __LINE__ == 1 && __COUNTER__ == 0 && __COUNTER__ == 1\n"
              "#include \"sub/it.h\"\n#endif\n");
  files.write(
      "/w/sub/it.h",
      "#ifndef N\n#define N\n#include __FILE__\n#elif __INCLUDE_LEVEL__ == 2\n#include \"end.h\"\n#endif\n");
  files.write("/w/sub/end.h", "");
  angle(".");
  auto closure = scan();
  REQUIRE(closure);
  CHECK(listed() == "main.cc sub/it.h sub/end.h");
  CHECK(closure->facts.absolute_includes == std::vector<std::string>{"sub/it.h"});
}

TEST_CASE_FIXTURE(ScanFixture, "questions for the compiler are gathered, with macros in them expanded") {
  files.write("/w/main.cc",
              "#define HAS(x) __has_attribute(x)\n#define quiet noreturn\n#if HAS(quiet)\n#include \"no.h\"\n"
              "#endif\n#if __has_builtin( __builtin_trap )\n#endif\n");
  CHECK(listed() == "main.cc");
  CHECK(questions == std::vector<std::string>{"__has_attribute(noreturn)", "__has_builtin(__builtin_trap)"});
}

TEST_CASE("a prefix map changes __FILE__") {
  ScanFixture scan(Family::gcc);
  scan.files.write("/w/main.cc", "#include \"old/it.h\"\n");
  scan.files.write("/w/old/it.h", "#ifndef N\n#define N\n#include __FILE__\n#endif\n");
  scan.files.write("/w/new/it.h", "");
  scan.angle(".");
  scan.command.args = {{"-fmacro-prefix-map=old/=new/", compiler::ArgRole::prefix_map, 19}};
  CHECK(scan.listed() == "main.cc old/it.h new/it.h");
}
